//! The workers as the page knows them.

/// One of the two worker builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trainer {
    Cpu = 0,
    Gpu = 1,
}

/// Where a worker stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WorkerPhase {
    #[default]
    Absent,
    Booting,
    Ready {
        device: String,
    },
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
    Hardware,
}

impl WorkerPhase {
    pub fn is_ready(&self) -> bool {
        matches!(self, WorkerPhase::Ready { .. })
    }
}

/// A run that waits for its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ui::state) struct Launch {
    pub(in crate::ui::state) run: u32,
    pub(in crate::ui::state) paused: bool,
}
