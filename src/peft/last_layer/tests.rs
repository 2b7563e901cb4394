//! The last layer with a pencil: logits = W_head f, with W_head untied from the token embedding.

use super::{LastLayer, Rows};
use crate::kernels::linear;
use crate::model::ModulePath;
use crate::peft::{MethodConfig, toy};

#[test]
fn the_labels_rows_of_the_head_are_trained_and_the_others_stay_the_embeddings() {
    let theta = toy::theta();
    let table = toy::rows([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]);
    // The labels are tokens 1 and 2: φ holds their rows.
    let start = toy::Start { labels: vec![1, 2], ..toy::Start::default() };
    let phi = toy::phi(&theta, MethodConfig::LastLayer(LastLayer { rows: Rows::Labels }), start);
    let phi = phi.filled(vec![vec![1.0, 2.0, 3.0, 4.0]]);

    // W_head: row 0 is the table's (1, 0), rows 1 and 2 are φ's (1, 2) and (3, 4).
    let head = toy::part(&phi).head(&table.clone().into()).unwrap();
    assert_eq!(toy::numbers(head.clone()), [1.0, 0.0, 1.0, 2.0, 3.0, 4.0]);
    // What a token is read as stays: the embedding is not replaced.
    assert!(toy::part(&phi).matrix(ModulePath::Tokens, &table.clone().into()).is_none());

    // f = (1, 2): logits = (1·1 + 0·2, 1·1 + 2·2, 3·1 + 4·2) = (1, 5, 11)
    let logits = linear(toy::token([1.0, 2.0]), head.transpose(), None);
    assert_eq!(toy::numbers(logits.clone()), [1.0, 5.0, 11.0]);

    // A row's gradient is its logit times f: 5·(1, 2) and 11·(1, 2). Row 0 is not in φ.
    assert_eq!(toy::gradients(&phi, toy::loss(logits)), [[5.0, 10.0, 11.0, 22.0]]);
}

#[test]
fn the_whole_head_is_a_copy_that_starts_as_the_token_embedding() {
    let theta = toy::theta();
    let phi = toy::phi(&theta, MethodConfig::LastLayer(LastLayer { rows: Rows::All }), toy::Start::default());
    let table = theta.weights.tokens.dense();
    let head = toy::part(&phi).head(&table.clone().into()).unwrap();
    assert_eq!(toy::numbers(head.clone()), toy::numbers(table));

    // E = (0 0; −1 1; 1 −1) and f = (1, 2): logits = (0, −1 + 2, 1 − 2) = (0, 1, −1)
    // ∂/∂E = logits·fᵀ: rows 0·f, 1·f and −1·f.
    let logits = linear(toy::token([1.0, 2.0]), head.transpose(), None);
    let gradients = toy::gradients(&phi, toy::loss(logits));
    assert_eq!(gradients, [[0.0, 0.0, 1.0, 2.0, -1.0, -2.0]]);
}
