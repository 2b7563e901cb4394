//! The workers as the page knows them.

/// One of the two worker builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trainer {
    /// Computes on the CPU.
    Cpu = 0,
    /// Computes with WebGPU.
    Gpu = 1,
}

/// Where a worker stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WorkerPhase {
    /// Not started.
    #[default]
    Absent,
    /// Started, and not heard of.
    Booting,
    /// It takes commands.
    Ready {
        /// What it computes on, as it says itself.
        device: String,
    },
    /// It did not come up, or lost its device.
    Failed,
}

/// What the browser said when it was asked for a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuProbe {
    /// There is no `navigator.gpu`.
    NoApi,
    /// No adapter was given.
    NoAdapter,
    /// An adapter that computes on the CPU: right, but slower than our own CPU trainer.
    Fallback,
    /// A real GPU.
    Hardware,
}

impl WorkerPhase {
    /// Whether it takes commands.
    pub fn is_ready(&self) -> bool {
        matches!(self, WorkerPhase::Ready { .. })
    }
}

/// A run that waits for its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ui::state) struct Launch {
    /// Its number.
    pub(in crate::ui::state) run: u32,
    /// It pauses before its first step.
    pub(in crate::ui::state) paused: bool,
}
