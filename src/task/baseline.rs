//! A linear model on a bag of words: the baseline that any fine-tuning should beat.
