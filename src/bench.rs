//! What a step costs at two fixed shapes, for `cargo xtask bench`.

use crate::model::Model;
use crate::model::kernels::cross_entropy;
use crate::model::{Activation, ModelConfig, Tokens};
use crate::peft::phi::{InitContext, Phi};
use crate::peft::{Lora, MethodConfig};
use crate::task::stream;
use crate::train::evaluate::read;
use crate::train::optimizer::Optimizer;
use burn::tensor::Device;
use rand::RngExt;

/// A model and batch of fixed size.
pub struct BenchShape {
    pub name: &'static str,
    pub d_model: usize,
    pub layers: usize,
    pub heads: usize,
    pub vocab: usize,
    pub batch: usize,
    pub tokens: usize,
}

/// S is what a laptop should train; s is small enough for software WebGPU.
pub const SHAPES: [BenchShape; 2] = [
    BenchShape { name: "S", d_model: 128, layers: 4, heads: 4, vocab: 256, batch: 16, tokens: 64 },
    BenchShape { name: "s", d_model: 32, layers: 2, heads: 4, vocab: 64, batch: 4, tokens: 16 },
];

/// What is measured at each shape.
pub fn methods() -> [(&'static str, MethodConfig); 2] {
    [
        ("full", MethodConfig::Full(Default::default())),
        ("lora", MethodConfig::Lora(Lora { rank: 8, ..Lora::default() })),
    ]
}

impl BenchShape {
    fn config(&self) -> ModelConfig {
        ModelConfig {
            model_type: "opt".into(),
            vocab_size: self.vocab,
            max_position_embeddings: self.tokens,
            hidden_size: self.d_model,
            ffn_dim: 4 * self.d_model,
            num_hidden_layers: self.layers,
            num_attention_heads: self.heads,
            activation_function: Activation::Relu,
            do_layer_norm_before: true,
            tie_word_embeddings: true,
            word_embed_proj_dim: None,
        }
    }

    /// Median milliseconds of a training step that predicts every token, the loss read back.
    pub async fn measure(
        &self,
        method: &MethodConfig,
        device: &Device,
        steps: usize,
        clock: fn() -> f64,
    ) -> Result<f64, crate::train::Failure> {
        let theta = Model::random(self.config(), &mut stream(0, "bench theta"), device);
        let training = device.clone().autodiff();
        let mut context = InitContext {
            theta: &theta,
            device: &training,
            rng: stream(0, "bench phi"),
            labels: &[],
            encode: &|_| Vec::new(),
            begins: 0,
            demonstrations: &[],
            scores: None,
        };
        let mut phi = Phi::init([method], &mut context);
        let mut optimizer = Optimizer::new();
        let mut rng = stream(0, "bench batches");
        let n = self.batch * self.tokens;
        let rows: Vec<usize> = (0..n).collect();
        let mut times = Vec::with_capacity(steps);
        for _ in 0..steps.max(3) {
            let mut draw = || (0..n).map(|_| rng.random_range(0..self.vocab as i32)).collect::<Vec<i32>>();
            let (ids, targets) = (draw(), draw());
            let start = clock();
            let tokens = Tokens { ids, sequences: self.batch, length: self.tokens };
            let loss = cross_entropy(theta.logits(&phi, &tokens, &rows), &targets).mean();
            let gradients = loss.backward();
            (phi, _) = optimizer.step(phi, gradients, 1e-3);
            read(loss.inner()).await?;
            times.push(clock() - start);
        }
        times.sort_by(f64::total_cmp);
        Ok(times[times.len() / 2])
    }
}

/// Measures every shape and method on the CPU and prints a line each.
#[cfg(not(target_arch = "wasm32"))]
pub fn native(json: bool, steps: usize) -> Result<(), String> {
    let device = Device::flex();
    for shape in &SHAPES {
        for (name, method) in methods() {
            let ms =
                pollster::block_on(shape.measure(&method, &device, steps, crate::cli::clock)).map_err(|f| f.message)?;
            let tokens_per_second = (shape.batch * shape.tokens) as f64 / ms * 1e3;
            if json {
                println!(
                    "{}",
                    serde_json::json!({"where": "native", "shape": shape.name, "method": name, "ms": ms, "tokens_per_second": tokens_per_second})
                );
            } else {
                println!("native  {}  {name:5} {ms:8.2} ms  {tokens_per_second:9.0} tokens/s", shape.name);
            }
        }
    }
    Ok(())
}
