//! Circles in a graph of files.

use crate::tree::Tree;
use std::collections::BTreeSet;

/// Strongly connected components of more than one file, each sorted.
pub fn circles(tree: &Tree) -> Vec<Vec<usize>> {
    let n = tree.files.len();
    let mut next = vec![Vec::new(); n];
    tree.arrows.keys().for_each(|(from, to)| next[*from].push(*to));
    // What each file reaches; with some hundred files the plain way is fast enough.
    let reach: Vec<BTreeSet<usize>> = (0..n)
        .map(|start| {
            let (mut seen, mut open) = (BTreeSet::new(), next[start].clone());
            while let Some(at) = open.pop() {
                if seen.insert(at) {
                    open.extend(&next[at]);
                }
            }
            seen
        })
        .collect();
    let mut out: Vec<Vec<usize>> = Vec::new();
    for start in 0..n {
        let circle: Vec<usize> = (0..n).filter(|at| reach[start].contains(at) && reach[*at].contains(&start)).collect();
        if circle.len() > 1 && circle[0] == start {
            out.push(circle);
        }
    }
    out
}
