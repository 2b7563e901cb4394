//! GPT-2 in GGUF. Matrices lie as PyTorch's linear layers have them, not as its own checkpoints do.

use crate::model::files::gguf::GgufForm;

pub(super) const FORM: GgufForm = GgufForm {
    architecture: "gpt2",
    config: |settings| {
        settings.context("n_positions")?;
        for (key, as_key) in [
            ("embedding_length", "n_embd"),
            ("feed_forward_length", "n_inner"),
            ("block_count", "n_layer"),
            ("attention.head_count", "n_head"),
        ] {
            settings.copy(key, as_key)?;
        }
        // Older converters write the tied head once more: it is compared with the embedding where it is read.
        settings.copy_number("attention.layer_norm_epsilon", "layer_norm_epsilon")
    },
    turned: false,
    in_python: Ok(()),
};
