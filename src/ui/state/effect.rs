//! What the state asks for.

use super::parts::{Ask, FetchAsk, File, HubModel, Trainer};
use crate::protocol::Command;

/// What the state asks of the browser.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Start a worker, in place of one that is there.
    Boot(Trainer),
    /// End a worker.
    Kill(Trainer),
    /// Give a worker a command.
    Send(Trainer, Command),
    /// Write the configuration into the address.
    ReplaceHash(String),
    /// Give a text an address of this page, under a logical name.
    Publish(String, String),
    /// Tell the trainers where files are, once more.
    Readdress,
    /// Ask the browser's store for something.
    Store(Ask),
    /// Gives the visitor files to keep.
    Download(Vec<File>),
    /// Fetch the recorded runs of a task.
    FetchRuns(String),
    /// Fetch the examples of a task.
    FetchData(String),
    /// Fetch a figure over a grid of runs.
    FetchSweep(String),
    /// Fetch the card of a base.
    FetchCard(String),
    /// Fetch the tokenizer of a base.
    FetchTokenizer(String),
    /// Look for a large base, fetch it, or forget it.
    Fetch(FetchAsk),
    /// Ask the Hub for the list of a model's files: the question's number, the model, and the file that is named.
    List(u32, String, Option<String>),
    /// Fetch files from the Hub, for the question of this number.
    FetchFromHub(u32, HubModel),
    /// Break off what comes from the Hub.
    LeaveHub,
    /// Read the manifest again in a few seconds: something is still on its way to the site.
    PollManifest,
    /// Give the page its large type, or take it back.
    Present(bool),
}
