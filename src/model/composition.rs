//! How a φ meets the network: the questions of the forward pass, and who is asked.

use super::{Matrix, ModulePath, ParamKind, Sublayer, Target};
use burn::tensor::Tensor;

/// A linear layer as a method finds it: where it stands, and the tensors that are used there.
#[derive(Clone, Copy, Debug)]
pub struct LinearAt<'a> {
    /// From 0.
    pub block: usize,
    /// Which of the block's linear layers.
    pub target: Target,
    /// `[inputs, outputs]`
    pub weight: &'a Matrix,
    /// `[outputs]`, where the layer has one.
    pub bias: Option<&'a Tensor<1>>,
}

/// How one method changes the forward pass. Every default leaves the network as it is.
pub trait Composition {
    /// A matrix that stands in for `theta`: `[vocab, d]`, `[positions, d]`, or `[inputs, outputs]` of a
    /// linear layer.
    fn matrix(&self, _path: ModulePath, _theta: &Matrix) -> Option<Tensor<2>> {
        None
    }

    /// A bias that stands in for `theta`.
    fn bias(&self, _path: ModulePath, _theta: &Tensor<1>) -> Option<Tensor<1>> {
        None
    }

    /// A norm's scale that stands in for `theta`.
    fn scale(&self, _path: ModulePath, _theta: &Tensor<1>) -> Option<Tensor<1>> {
        None
    }

    /// The head `[vocab, d]` in place of θ's, which is the token embedding where it is tied.
    fn head(&self, _table: &Matrix) -> Option<Tensor<2>> {
        None
    }

    /// What a linear layer reads, `[sequences, length, inputs]`.
    fn input(&self, _at: LinearAt<'_>, _x: &Tensor<3>) -> Option<Tensor<3>> {
        None
    }

    /// Parameter composition: `y` = W₀x + b with φ's update. `x` is `[sequences, length, inputs]`.
    fn update(&self, _at: LinearAt<'_>, _x: &Tensor<3>, _y: &Tensor<3>) -> Option<Tensor<3>> {
        None
    }

    /// The linear layer's matrix and bias, if it has one, with φ folded in, where [`update`](Self::update) or
    /// [`input`](Self::input) change it.
    fn merged(&self, _at: LinearAt<'_>) -> Option<(Tensor<2>, Option<Tensor<1>>)> {
        None
    }

    /// Input composition: virtual tokens `[n, d]` in front of the text.
    fn prompt(&self) -> Option<Tensor<2>> {
        None
    }

    /// Input composition: the tokens of a discrete prompt.
    fn text(&self) -> Option<&Text> {
        None
    }

    /// Input composition: for each block that has them, keys and values in front of its own, each
    /// `[n, key-value width]`.
    fn prefixes(&self) -> Vec<Prefixed> {
        Vec::new()
    }

    /// Function composition: what follows or accompanies a sub-layer, before the residual line. `input` is
    /// the sub-layer's, before its norm, `y` is what it gives.
    fn after(&self, _block: usize, _sublayer: Sublayer, _input: &Tensor<3>, _y: &Tensor<3>) -> Option<Tensor<3>> {
        None
    }

    /// Seeds what is random in a training step; `None` switches it off.
    fn noise(&mut self, _seed: Option<u64>) {}

    /// Tensors, flat, whose values φ needs on the host before a step (from 0) of `steps`.
    fn host_reads(&self, _step: usize, _steps: usize) -> Vec<Tensor<1>> {
        Vec::new()
    }

    /// The values of what [`host_reads`](Self::host_reads) gave, in its order.
    fn host_values(&mut self, _step: usize, _steps: usize, _values: Vec<Vec<f32>>) {}

    /// What the last answers left beside φ's tensors, flat, in the order of [`host_reads`](Self::host_reads).
    /// Given to [`host_values`](Self::host_values) as answers of the same step, it is left again.
    fn masks(&self) -> Vec<Tensor<1>> {
        Vec::new()
    }

    /// Ends training: what was set aside while φ changed is written into its tensors.
    fn finalize(&mut self) {}

    /// The weights that a mask has chosen, counted through all matrices in the order of [`ModulePath::all`].
    fn chosen(&self) -> Option<Vec<usize>> {
        None
    }

    /// Frozen A `[inputs, rank]` and B `[rank, outputs]` that all linear layers share.
    fn shared(&self) -> Option<[Tensor<2>; 2]> {
        None
    }

    /// Takes other ones, of the same shapes.
    fn share(&mut self, _shared: [Tensor<2>; 2]) {}

    /// Takes the rows `[n, d]` of a projection P from elsewhere; tensors of θ without rows stay as they are.
    fn project(&mut self, _rows: Vec<(ModulePath, ParamKind, Tensor<2>)>) {}

    /// Trained numbers, where they are not all elements of φ's tensors.
    fn elements(&self) -> Option<usize> {
        None
    }
}

/// A discrete prompt.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// Ids, the same in front of each sequence.
    pub tokens: Vec<i32>,
    /// Tokens of each sequence that stay in front of it: 1 for `<s>`.
    pub after: usize,
}

/// Keys and values in front of a block's own, each `[n, key-value heads · head_dim]`.
#[derive(Clone, Debug)]
pub struct Prefixed {
    /// From 0.
    pub block: usize,
    /// Beside W_K x, all heads side by side.
    pub keys: Tensor<2>,
    /// Beside W_V x, all heads side by side.
    pub values: Tensor<2>,
}

impl Prefixed {
    /// Keys and values behind these. A prefix stands as it is: what was learned is not turned, as keys in
    /// transformers' cache are not again.
    pub(super) fn in_front_of(&self, [k, v]: [Tensor<3>; 2]) -> [Tensor<3>; 2] {
        let in_front = |front: &Tensor<2>, own: Tensor<3>| {
            let ([b, ..], [p, width]) = (own.dims(), front.dims());
            Tensor::cat(vec![front.clone().reshape([1, p, width]).expand([b, p, width]), own], 1)
        };
        [in_front(&self.keys, k), in_front(&self.values, v)]
    }
}

/// φ as the network meets it: parts, and λ of θ ⊕ λφ. A part is the φ of one method.
pub trait Compositions {
    /// The `i`-th part; `None` behind the last one.
    fn part(&self, i: usize) -> Option<&dyn Composition>;

    /// λ of θ ⊕ λφ. What stands in the input has none and stays.
    fn lambda(&self) -> f64;
}

impl dyn Compositions + '_ {
    fn parts(&self) -> impl Iterator<Item = &dyn Composition> {
        (0..).map_while(|i| self.part(i))
    }

    /// θ + λ(x − θ)
    fn dial<const D: usize>(&self, theta: &Tensor<D>, x: Tensor<D>) -> Tensor<D> {
        match self.lambda() {
            1.0 => x,
            lambda => theta.clone() + (x - theta.clone()).mul_scalar(lambda),
        }
    }

    fn dial_matrix(&self, theta: &Matrix, x: Tensor<2>) -> Tensor<2> {
        if self.lambda() == 1.0 { x } else { self.dial(&theta.dense(), x) }
    }

    /// The parts one after the other, each with what those before it made of `theta`.
    fn fold<const D: usize>(
        &self,
        theta: Tensor<D>,
        ask: impl Fn(&dyn Composition, &Tensor<D>) -> Option<Tensor<D>>,
    ) -> Tensor<D> {
        self.parts().fold(theta, |theta, part| match ask(part, &theta) {
            Some(x) => self.dial(&theta, x),
            None => theta,
        })
    }

    /// The same for matrices. One that no part answers for stays as it is stored.
    fn fold_matrix(&self, theta: Matrix, ask: impl Fn(&dyn Composition, &Matrix) -> Option<Tensor<2>>) -> Matrix {
        self.parts().fold(theta, |theta, part| match ask(part, &theta) {
            Some(x) => Matrix::Full(self.dial_matrix(&theta, x)),
            None => theta,
        })
    }

    /// The matrix that is used in a module: θ's, or what stands in for it.
    pub fn matrix(&self, path: ModulePath, theta: Matrix) -> Matrix {
        self.fold_matrix(theta, |c, theta| c.matrix(path, theta))
    }

    /// The bias that is used in a module.
    pub fn bias(&self, path: ModulePath, theta: Tensor<1>) -> Tensor<1> {
        self.fold(theta, |c, theta| c.bias(path, theta))
    }

    /// The scale that a norm uses.
    pub fn scale(&self, path: ModulePath, theta: Tensor<1>) -> Tensor<1> {
        self.fold(theta, |c, theta| c.scale(path, theta))
    }

    /// The head, given θ's: `[vocab, d]`.
    pub fn head(&self, table: Matrix) -> Matrix {
        self.fold_matrix(table, |c, table| c.head(table))
    }

    /// What a linear layer reads in place of x, where a part changes it.
    pub fn input(&self, at: LinearAt<'_>, x: &Tensor<3>) -> Option<Tensor<3>> {
        self.parts().fold(None, |changed, part| {
            let before = changed.as_ref().unwrap_or(x);
            part.input(at, before).map(|now| self.dial(before, now)).or(changed)
        })
    }

    /// `y` with all updates of a matrix.
    pub fn update(&self, at: LinearAt<'_>, x: &Tensor<3>, y: Tensor<3>) -> Tensor<3> {
        self.fold(y, |c, y| c.update(at, x, y))
    }

    /// What a sub-layer gives to the residual line.
    pub fn after(&self, block: usize, sublayer: Sublayer, input: &Tensor<3>, y: Tensor<3>) -> Tensor<3> {
        self.fold(y, |c, y| c.after(block, sublayer, input, y))
    }

    /// Virtual tokens in front of the text, `[n, d]`.
    pub fn prompt(&self) -> Option<Tensor<2>> {
        self.parts().find_map(|part| part.prompt())
    }

    /// A discrete prompt, where there is one.
    pub fn text(&self) -> Option<&Text> {
        self.parts().find_map(|part| part.text()).filter(|text| !text.tokens.is_empty())
    }

    /// Keys and values in front of those of the blocks that have such.
    pub fn prefixes(&self) -> Vec<Prefixed> {
        self.parts().flat_map(|part| part.prefixes()).collect()
    }

    /// A linear layer's matrix and bias with every part folded in.
    pub fn merged(&self, at: LinearAt<'_>) -> (Matrix, Option<Tensor<1>>) {
        let start = (at.weight.clone(), at.bias.cloned());
        self.parts().fold(start, |(weight, bias), part| {
            let at = LinearAt { weight: &weight, bias: bias.as_ref(), ..at };
            match part.merged(at) {
                Some((w, b)) => {
                    let b = bias.as_ref().zip(b).map(|(bias, b)| self.dial(bias, b));
                    (Matrix::Full(self.dial_matrix(&weight, w)), b)
                }
                None => (weight, bias),
            }
        })
    }
}
