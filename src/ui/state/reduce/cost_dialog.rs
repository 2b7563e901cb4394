//! The dialog of costs: what the present method is compared with, and on which model.

use crate::config::RunConfig;
use crate::ledger::RealModel;
use crate::peft::MethodConfig;
use crate::ui::state::{Costing, Run, State};

impl State {
    pub(super) fn costing(&mut self, what: Costing) {
        match what {
            Costing::Open(open) => self.costs.open = open,
            Costing::Against(name) if MethodConfig::named(&name).is_some() => self.costs.against = name,
            Costing::Against(_) => {}
            Costing::Model(id) => self.costs.model = RealModel::named(&id),
        }
    }

    /// The present configuration with the other method: as it was left, else at its defaults.
    pub fn against(&self) -> RunConfig {
        let known = self.left_methods.iter().find(|m| m.info().name == self.costs.against).cloned();
        let method = known.or_else(|| MethodConfig::named(&self.costs.against));
        let mut config = self.config.clone();
        if let Some(method) = method.filter(|m| m.info().name != config.method.info().name) {
            config.method = method;
            config.also = Vec::new();
            // Both read the same batch; rates do not matter here.
            config.batch_size = Some(self.config.batch_size());
        }
        config
    }

    /// What the latest run of this configuration measured of a step.
    /// The most bytes, where they were counted, and milliseconds.
    pub fn measured_step(&self, config: &RunConfig) -> (Option<u64>, Option<f64>) {
        let same = |run: &&Run| {
            run.config.method == config.method
                && run.config.also == config.also
                && run.config.base == config.base
                && run.config.batch_size() == config.batch_size()
                && run.config.task.same_questions(&config.task)
        };
        let runs = || self.runs.iter().rev().filter(same);
        (runs().find_map(|run| run.peak), runs().map(|run| run.ms).find(|ms| *ms > 0.0))
    }
}
