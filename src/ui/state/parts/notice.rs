//! Sentences that tell a visitor what happened and offer the way on.

/// Something the page says once, near the top, until it is dismissed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number on this page.
    pub id: u32,
    /// Whether something is wrong.
    pub tone: NoticeTone,
    /// One sentence or more.
    pub text: String,
    /// The way on, as a button.
    pub remedy: Option<Remedy>,
}

/// What a notice is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeTone {
    /// Something did not work.
    Fault,
    /// Something is good to know.
    Info,
}

/// The way on that a notice offers with one click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Start the last run once more.
    TryAgain,
    /// Start a new worker in place of one that did not come up.
    RestartTrainer,
    /// Train with a tenth of the rate.
    LowerRate,
    /// Train the present configuration on the CPU.
    TrainOnCpu,
    /// Turn to the WebGPU trainer.
    UseWebGpu,
    /// Open the dialog for data of one's own.
    Bring,
    /// Bring back what was taken off the page.
    Undo,
    /// Go on with this run.
    GoOn(u32),
    /// Train what this run did once more, beside it.
    Afresh(u32),
    /// Take so many of the oldest runs off the page and out of the store.
    MakeRoom(usize),
    /// Give the visitor what could not be read as a file.
    SaveAside,
    /// Back to the base and task of a run that waits, which then goes on.
    TurnBack(u32),
}

impl Remedy {
    /// The name of its button.
    pub fn title(self) -> &'static str {
        match self {
            Remedy::TryAgain => "Try again",
            Remedy::RestartTrainer => "Restart the trainer",
            Remedy::LowerRate => "Train with rate /10",
            Remedy::TrainOnCpu => "Train on the CPU",
            Remedy::UseWebGpu => "Use WebGPU",
            Remedy::Bring => "Bring it",
            Remedy::Undo => "Undo",
            Remedy::GoOn(_) => "Go on",
            Remedy::Afresh(_) => "Train it again",
            Remedy::MakeRoom(_) => "Make room",
            Remedy::SaveAside => "Save it as a file",
            Remedy::TurnBack(_) => "Turn back and go on",
        }
    }
}
