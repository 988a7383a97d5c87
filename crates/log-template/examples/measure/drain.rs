//! Two baselines: digits masked and nothing else, and Drain as it was published, without masks or a header's format.

use std::collections::HashMap;

/// Groups by the text with every run of digits left out.
pub(crate) fn digit_masking<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<usize> {
    let mut groups: HashMap<String, usize> = HashMap::new();
    lines
        .map(|line| {
            let mut masked = String::with_capacity(line.len());
            for character in line.chars() {
                match character {
                    '0'..='9' if masked.ends_with('#') => {}
                    '0'..='9' => masked.push('#'),
                    other => masked.push(other),
                }
            }
            let next = groups.len();
            *groups.entry(masked).or_insert(next)
        })
        .collect()
}

/// As published: P. He, J. Zhu, Z. Zheng, M. Lyu, *Drain: an online log parsing approach with fixed depth tree* (2017),
/// with the defaults of its authors' later implementation, drain3.
#[derive(Default)]
pub(crate) struct Drain {
    leaves: HashMap<(usize, Vec<String>), Vec<usize>>,
    children: HashMap<(usize, Vec<String>), Vec<String>>,
    clusters: Vec<Vec<String>>,
}

/// Layers of the tree, counted as in the paper: the root and the layer of lengths are two of them.
const DEPTH: usize = 4;
const SIMILARITY: f64 = 0.4;
const MOST_CHILDREN: usize = 100;
const ANY: &str = "<*>";

impl Drain {
    /// The cluster of `line`.
    pub(crate) fn observe(&mut self, line: &str) -> usize {
        let tokens: Vec<&str> = line.split_whitespace().collect();
        let leaf = (tokens.len(), self.path(&tokens));
        let clusters = self.leaves.entry(leaf).or_default();
        let similarity = |cluster: &[String]| {
            let same = cluster.iter().zip(&tokens).filter(|(a, b)| a == *b).count();
            let open = cluster.iter().filter(|token| *token == ANY).count();
            (same as f64 / tokens.len().max(1) as f64, open)
        };
        let best = clusters
            .iter()
            .map(|&id| (similarity(&self.clusters[id]), id))
            .max_by(|((a, open_a), _), ((b, open_b), _)| a.total_cmp(b).then(open_a.cmp(open_b)));
        match best {
            Some(((similar, _), id)) if similar >= SIMILARITY => {
                for (known, token) in self.clusters[id].iter_mut().zip(&tokens) {
                    if known != token {
                        ANY.clone_into(known);
                    }
                }
                id
            }
            _ => {
                clusters.push(self.clusters.len());
                self.clusters.push(tokens.iter().map(|&token| token.to_owned()).collect());
                self.clusters.len() - 1
            }
        }
    }

    /// The way from the length down to a leaf: the first tokens, where those with digits, and those beyond the hundred
    /// children of a node, count as any.
    fn path(&mut self, tokens: &[&str]) -> Vec<String> {
        let mut path = Vec::new();
        for token in tokens.iter().take(DEPTH - 2) {
            let known = self.children.entry((tokens.len(), path.clone())).or_default();
            let has_digit = token.bytes().any(|byte| byte.is_ascii_digit());
            let step = if known.iter().any(|child| child == token) {
                *token
            } else if has_digit || known.len() >= MOST_CHILDREN {
                ANY
            } else {
                token
            };
            if !known.iter().any(|child| child == step) {
                known.push(step.to_owned());
            }
            path.push(step.to_owned());
        }
        path
    }
}
