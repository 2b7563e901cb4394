//! An adapter with a pencil: h = y + s·W_U σ(W_D x), with x = y after a sub-layer and x its input beside it.

use super::{Adapter, NonLinearity, Placement};
use crate::model::Sublayer;
use crate::peft::{MethodConfig, toy};

fn adapter(placement: Placement) -> MethodConfig {
    MethodConfig::Adapter(Adapter {
        bottleneck: 2,
        placement,
        non_linearity: NonLinearity::Relu,
        scaling: 2.0,
        ..Adapter::default()
    })
}

#[test]
fn a_bottleneck_after_the_mlp_adds_to_what_the_mlp_gives() {
    // Two units: W_D has a row for each, W_U a column. Both biases are zero.
    let down = toy::down_columns([[1.0, 1.0], [-1.0, 0.0]]);
    let up = toy::down_columns([[1.0, 5.0], [-1.0, 5.0]]);
    let numbers: [&[f32]; 4] = [&down, &[0.0, 0.0], &up, &[0.0, 0.0]];
    let phi = toy::filled(&toy::theta(), adapter(Placement::Mlp), &numbers);

    // y = (1, 2) is what the MLP gives; what it read, (7, 7), is not looked at.
    let (input, y) = (toy::token([7.0, 7.0]), toy::token([1.0, 2.0]));
    assert!(toy::part(&phi).after(0, Sublayer::Attention, &input, &y).is_none());
    let h = toy::part(&phi).after(0, Sublayer::Mlp, &input, &y).unwrap();

    // W_D y = (1 + 2, −1) = (3, −1),  ReLU gives (3, 0): the second unit is off.
    // s·W_U (3, 0) = 2 · (3, −3) = (6, −6),  h = (1 + 6, 2 − 6) = (7, −4)
    assert_eq!(toy::numbers(h.clone()), [7.0, -4.0]);

    let gradients = toy::gradients(&phi, toy::loss(h));
    // ∂/∂W_U = s·h·(3, 0) = (6·7 0; 6·(−4) 0) = (42 0; −24 0)
    assert_eq!(gradients[2], toy::down_columns([[42.0, 0.0], [-24.0, 0.0]]));
    // s·W_Uᵀh is 2·(7 + 4) = 22 at the first unit. The second one passes nothing on.
    // ∂/∂W_D = 22·yᵀ in the first row, zero in the second: (22 44; 0 0)
    assert_eq!(gradients[0], toy::down_columns([[22.0, 44.0], [0.0, 0.0]]));
}

#[test]
fn beside_the_mlp_it_reads_what_the_mlp_reads() {
    let down = toy::down_columns([[1.0, 1.0], [-1.0, 0.0]]);
    let up = toy::down_columns([[1.0, 5.0], [-1.0, 5.0]]);
    let numbers: [&[f32]; 4] = [&down, &[0.0, 0.0], &up, &[0.0, 0.0]];
    let phi = toy::filled(&toy::theta(), adapter(Placement::Parallel), &numbers);

    // x = (2, 3): W_D x = (5, −2), ReLU (5, 0), s·W_U (5, 0) = (10, −10),  h = y + (10, −10) = (11, −8)
    let (x, y) = (toy::token([2.0, 3.0]), toy::token([1.0, 2.0]));
    let h = toy::part(&phi).after(0, Sublayer::Mlp, &x, &y).unwrap();
    assert_eq!(toy::numbers(h), [11.0, -8.0]);
}

#[test]
fn at_the_start_w_u_is_zero_and_nothing_changes() {
    let phi = toy::phi(&toy::theta(), adapter(Placement::Both), toy::Start::default());
    let (x, y) = (toy::token([2.0, 3.0]), toy::token([1.0, 2.0]));
    for sublayer in [Sublayer::Attention, Sublayer::Mlp] {
        let h = toy::part(&phi).after(0, sublayer, &x, &y).unwrap();
        assert_eq!(toy::numbers(h), [1.0, 2.0]);
    }
}
