//! Texts that are read on behind cached keys and values, against the same texts read anew.
#![allow(dead_code)] // Each test binary uses its part.

use crate::shared;
use burn::tensor::Device;
use peft_lab::base::read;
use peft_lab::model::{Cache, Model, Tokens};
use peft_lab::peft::{MethodConfig, Phi};

/// Tokens that are read of each text, one time after the other: texts of different lengths, then one token of each, then
/// several; 0 leaves a text out from there on.
const READ: [[usize; 4]; 5] = [[3, 1, 5, 3], [1, 1, 1, 1], [2, 1, 3, 1], [1, 0, 1, 1], [2, 0, 2, 1]];

/// Checks a method on the tiny network.
pub async fn check_cache_of(method: &MethodConfig, device: &Device) -> Result<(), String> {
    let theta = shared::tiny_model(device);
    let mut phi = shared::stirred(&shared::phi(&theta, method, device));
    shared::tell(&mut phi, 0, shared::STEPS).await;
    check_cache(&theta, &phi.frozen()).await.map_err(|apart| format!("{method:?}: {apart}"))
}

/// Logits behind each text whenever it is read on, to 1e-4 of the largest; and the likeliest tokens.
pub async fn check_cache(theta: &Model, phi: &Phi) -> Result<(), String> {
    let vocabulary = theta.config.vocab_size;
    let mut texts: Vec<Vec<u32>> = vec![Vec::new(); 4];
    let mut cache = Cache::default();
    for (time, of_each) in READ.iter().enumerate() {
        if time > 0 {
            let before = READ[time - 1].iter().zip(of_each).filter(|(before, _)| **before > 0);
            cache.keep(&before.map(|(_, now)| *now > 0).collect::<Vec<_>>());
        }
        let (mut new, mut whole) = (Vec::new(), Vec::new());
        for (i, (text, n)) in texts.iter_mut().zip(of_each).enumerate().filter(|(_, (_, n))| **n > 0) {
            let tokens: Vec<u32> = (0..*n).map(|k| ((7 * i + 5 * time + 3 * k) % 23) as u32).collect();
            text.extend(&tokens);
            new.push(tokens);
            whole.push(text.clone());
        }
        let (tokens, rows) = Tokens::padded(&whole);
        let logits = [theta.go_on(phi, &mut cache, &new), theta.logits(phi, &tokens, &rows)];
        let [cached, anew] = logits.map(|logits| read(logits.reshape([whole.len() * vocabulary])));
        let (cached, anew) = (cached.await.map_err(|f| f.message)?, anew.await.map_err(|f| f.message)?);
        let largest = anew.iter().fold(1.0_f32, |largest, x| x.abs().max(largest));
        // No number is close to one that is none.
        let is_close = |(a, b): (&f32, &f32)| {
            let apart = (a - b).abs();
            apart <= 1e-4 * largest
        };
        if cached.len() != anew.len() || !cached.iter().zip(&anew).all(is_close) {
            let apart = cached.iter().zip(&anew).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            return Err(format!("read {time}: {apart} of {largest} apart"));
        }
        for (text, (cached, anew)) in whole.iter().zip(cached.chunks(vocabulary).zip(anew.chunks(vocabulary))) {
            let best = |row: &[f32]| (0..vocabulary).max_by(|a, b| row[*a].total_cmp(&row[*b]));
            if best(cached) != best(anew) {
                return Err(format!(
                    "read {time}, {text:?}: {:?} is likeliest, read anew {:?}",
                    best(cached),
                    best(anew)
                ));
            }
        }
        // Each goes on from a place of its own, behind what φ has put in front of all.
        let positions = cache.positions();
        let in_front: Vec<usize> = positions.iter().zip(&whole).map(|(position, text)| position - text.len()).collect();
        if positions.len() != whole.len() || in_front.iter().any(|n| *n != in_front[0]) {
            return Err(format!("read {time}: texts go on from {positions:?}"));
        }
    }
    Ok(())
}
