//! The Python that does the same.

use super::{Ia3, width};
use crate::model::{ModulePath, Target};
use crate::peft::{Python, Script, python};

impl Python for Ia3 {
    fn python(&self, script: &Script<'_>) -> String {
        let names = |wanted: fn(&Target) -> bool| {
            let targets = self.target_modules.iter().filter(move |t| wanted(t));
            let named = |t: &Target| match self.layers.is_all() {
                true => vec![t.module().to_string()],
                false => self.blocks(script.model()).map(|block| ModulePath::Linear(block, *t).key()).collect(),
            };
            format!("{:?}", targets.flat_map(named).collect::<Vec<_>>())
        };
        let values = [("TARGETS", names(|_| true)), ("INNER", names(|t| *t == Target::Fc2))];
        python::fill(include_str!("python.py"), &values)
    }

    fn python_without_peft(&self, script: &Script<'_>) -> Option<String> {
        let model = script.model();
        let places = self.blocks(model).flat_map(|block| self.target_modules.iter().map(move |t| (block, *t)));
        let named = places.map(|(block, target)| {
            let inner = if target == Target::Fc2 { "True" } else { "False" };
            format!("(\"{}\", {}, {inner})", ModulePath::Linear(block, target).key(), width(target, model))
        });
        let places = named.collect::<Vec<_>>().join(", ");
        Some(python::fill(include_str!("without_peft.py"), &[("PLACES", places)]))
    }
}
