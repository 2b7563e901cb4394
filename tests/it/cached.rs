//! Keys and values that are kept: what is read behind them answers as what is read anew.

use crate::cache::check_cache;
use crate::every_family::{models, shape, trained};
use crate::shared;
use peft_lab::peft::Phi;
use std::collections::BTreeSet;

#[test]
fn cached_keys_answer_as_the_text_read_anew_with_every_method_on_every_family() {
    let (mut apart, mut checked) = (Vec::new(), BTreeSet::new());
    for (name, theta) in models() {
        let mut check = |what: String, phi: &Phi| {
            let result = pollster::block_on(check_cache(&theta, phi));
            apart.extend(result.err().map(|apart| format!("{name}: {what}: {apart}")));
        };
        check("θ alone".into(), &Phi::none());
        for method in shared::methods() {
            if method.method().check(&shape(&theta), 10).is_ok() {
                let phi = trained(&theta, &method);
                check(format!("{method:?}"), &phi);
                check(format!("{method:?}, λ = 0.6"), &phi.dialled(0.6));
                checked.insert((name.clone(), method.info().name));
            }
        }
    }
    assert!(apart.is_empty(), "{apart:#?}");
    let methods: BTreeSet<&str> = shared::methods().iter().map(|method| method.info().name).collect();
    let of_all: BTreeSet<&str> = checked.iter().map(|(_, method)| *method).collect();
    assert_eq!(of_all, methods, "a method was checked nowhere");
    let families = models().len();
    assert!(checked.len() + 20 > families * methods.len(), "{} of {families} · {}", checked.len(), methods.len());
}
