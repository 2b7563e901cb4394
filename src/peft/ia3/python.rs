//! The Python that does the same.

use super::Ia3;
use crate::model::{ModulePath, Target};
use crate::peft::{Python, Script, python};

impl Python for Ia3 {
    fn python(&self, script: &Script<'_>) -> String {
        // Factors of a whole module would be those of all its matrices.
        if script.joins(&self.target_modules) {
            return self.written_out(script);
        }
        let (model, family) = (script.model(), script.family());
        let names = |wanted: fn(&Target) -> bool| {
            let targets = self.target_modules.iter().filter(move |t| wanted(t));
            let named = |t: &Target| match self.layers.is_all() {
                true => family.module(*t).map(|module| module.peft.to_string()).into_iter().collect::<Vec<_>>(),
                false => self.blocks(model).map(|block| family.key(ModulePath::Linear(block, *t))).collect(),
            };
            format!("{:?}", targets.flat_map(named).collect::<Vec<_>>())
        };
        let values = [("TARGETS", names(|_| true)), ("INNER", names(|t| *t == Target::Fc2))];
        python::fill(include_str!("python.py"), &values)
    }

    fn python_without_peft(&self, script: &Script<'_>) -> Option<String> {
        Some(self.written_out(script))
    }
}

impl Ia3 {
    fn written_out(&self, script: &Script<'_>) -> String {
        let places = self.blocks(script.model()).flat_map(|block| self.target_modules.iter().map(move |t| (block, *t)));
        let named = places.map(|(block, target)| {
            let inner = if target == Target::Fc2 { "True" } else { "False" };
            format!("({inner}, {})", script.place(block, target))
        });
        let places = named.collect::<Vec<_>>().join(", ");
        python::fill(include_str!("without_peft.py"), &[("PLACES", places)])
    }
}
