//! The dialog of costs, and what a row says about a step.

use super::*;

fn costing(state: &mut State, what: Costing) {
    assert!(state.reduce(Action::Costing(what)).is_empty());
}

#[test]
fn a_method_is_costed_beside_another_as_that_was_left() {
    let mut state = ready("#method=prompt&num_virtual_tokens=7&batch_size=16");
    assert_eq!(state.against().label(), "Full fine-tuning");
    set(&mut state, "method", "lora");
    costing(&mut state, Costing::Against("prompt".into()));
    assert_eq!(state.against().label(), "prompt 7");
    assert_eq!(state.against().batch_size(), 16, "both read the same batch");
    costing(&mut state, Costing::Against("no-such-method".into()));
    assert_eq!(state.costs.against, "prompt");
    costing(&mut state, Costing::Model("opt-66b".into()));
    assert_eq!(state.costs.model.as_ref().map(|m| m.config.num_hidden_layers), Some(64));
    costing(&mut state, Costing::Model(String::new()));
    assert_eq!(state.costs.model, None);
}

#[test]
fn what_a_run_counted_stands_beside_what_was_expected() {
    let mut state = training("#");
    assert_eq!(state.measured_step(&state.config).0, None);
    let steps = state.config.steps;
    // The step took 20 ms.
    hear(&mut state, Trainer::Cpu, vec![step(1, steps), finished(1, steps, 1.0)]);
    assert_eq!(state.measured_step(&state.config), (Some(2_000_000), Some(20.0)));
    let (expected, work) = state.runs[0].cost.unwrap();
    assert!(expected > 4_000_000 && work > 1e8, "{expected} {work}");
    // Another rank is another run.
    set(&mut state, "rank", "16");
    assert_eq!(state.measured_step(&state.config), (None, None));
    set(&mut state, "method", "icl");
    state.reduce(Action::Main);
    assert_eq!(state.runs.last().unwrap().cost, None, "nothing is trained");
}
