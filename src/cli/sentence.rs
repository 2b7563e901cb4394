//! What a command says where it cannot go on.

/// A sentence for whoever typed the command.
pub(super) type Sentence = String;
