//! What cannot be trained together, and what it falls back to.

use super::RunConfig;
use crate::base::Fault;
use crate::bases::Base;
use crate::peft::{MethodConfig, Shape};

impl RunConfig {
    /// What cannot be trained together: a task on a base that does not read it, a rank above the width …
    pub fn check(&self) -> Result<(), Fault> {
        self.check_wording()?;
        self.check_base()?;
        if self.task.is_written() && self.task.examples().is_some() {
            return Err(Fault::new("examples", "A text is one example: it cannot be limited to a number of them."));
        }
        let (shape, tokens) = (self.shape(), self.max_tokens());
        if let Some(refusal) = self.theta.and_then(|theta| theta.refusal(&shape.model)) {
            return Err(Fault::new("theta", refusal));
        }
        for method in self.methods() {
            self.check_method(method, &shape, tokens).map_err(|fault| self.qualified(method, fault))?;
        }
        self.check_together(&shape, tokens)
    }

    /// Whether the base reads the task, and is long enough for its examples.
    pub(super) fn check_base(&self) -> Result<(), Fault> {
        if !self.task.is_read_by(self.base) {
            let message = format!(
                "The base {} does not read the task {}, which goes with the base {}.",
                self.base.called(),
                self.task.name(),
                self.task.bases().join(" or ")
            );
            return Err(Fault::new("base", message));
        }
        let (context, tokens) = (self.shape().model.max_position_embeddings, self.max_tokens());
        if tokens > context {
            let message = format!(
                "The base {} reads {context} positions, the task {} needs {tokens}.",
                self.base.called(),
                self.task.name()
            );
            return Err(Fault::new("base", message));
        }
        Ok(())
    }

    /// Methods train together where no two step in at the same spot.
    fn check_together(&self, shape: &Shape, tokens: usize) -> Result<(), Fault> {
        let methods: Vec<&MethodConfig> = self.methods().collect();
        for (i, one) in methods.iter().enumerate() {
            for other in &methods[..i] {
                let (a, b) = (other.info(), one.info());
                if a.name == b.name {
                    return Err(Fault::new("method", format!("{} is named twice: once is enough.", a.title)));
                }
                let taken = other.method().sites(&shape.model);
                if let Some(spot) = one.method().sites(&shape.model).iter().find(|spot| taken.contains(spot)) {
                    let message = format!(
                        "{} and {} cannot be trained together: both change {}. Leave one out, or let them change different places.",
                        a.title,
                        b.title,
                        spot.title()
                    );
                    return Err(Fault::new("method", message));
                }
            }
        }
        let positions: usize = methods.iter().map(|m| m.method().positions()).sum();
        let room = shape.model.max_position_embeddings.saturating_sub(tokens);
        if positions > room {
            let message = format!(
                "Together they put {positions} positions in front of the text; this base has {room} left beside the task's {tokens}."
            );
            return Err(Fault::new("num_virtual_tokens", message));
        }
        Ok(())
    }

    fn qualified(&self, method: &MethodConfig, fault: Fault) -> Fault {
        Fault { key: self.key_of(method, &fault.key), ..fault }
    }

    /// The first method, at its defaults, that this base and task can have.
    pub(super) fn first_that_fits(&self) -> Option<MethodConfig> {
        let fits = |method: &MethodConfig| RunConfig { method: method.clone(), ..self.clone() }.check().is_ok();
        std::iter::once(MethodConfig::opening()).chain(MethodConfig::all()).find(fits)
    }

    /// Gives up piece by piece what does not go together, so that the page always has something it can train.
    pub(super) fn fall_back(&mut self) -> Vec<Fault> {
        let mut faults = Vec::new();
        while let Err(fault) = self.check() {
            match fault.key.as_str() {
                "theta" => self.theta = None,
                "examples" => drop(self.task.set("examples", "all")),
                "template" => self.template = None,
                "labels" => self.labels = None,
                "base" => self.base = Base::named(self.task.bases()[0]).unwrap_or(self.base),
                // Of methods that cannot be combined, or of knobs that do not fit, what was named last goes
                // first.
                "method" if !self.also.is_empty() => drop(self.also.pop()),
                _ => {
                    let reset = |m: &MethodConfig| MethodConfig::named(m.info().name).unwrap_or_else(|| m.clone());
                    let (method, also) = (reset(&self.method), self.also.iter().map(reset).collect());
                    if self.method != method || self.also != also {
                        (self.method, self.also) = (method, also);
                    } else if self.also.pop().is_none() {
                        // Some bases have nothing that the method trains.
                        match self.first_that_fits() {
                            Some(method) => self.method = method,
                            None => *self = RunConfig::default(),
                        }
                    }
                }
            }
            faults.push(fault);
            // Each round gives something up; what is shipped fits itself.
            if faults.len() > 64 {
                *self = RunConfig::default();
            }
        }
        faults
    }
}
