//! [`Report`]: every number of every round, and the Markdown made of them.

mod tables;

use std::collections::HashMap;
use std::fmt::Write;

use crate::cells::Cell;
use crate::ledger::Counts;
use crate::measure::{Figure, Measured};

/// Collects while rounds run.
#[derive(Debug)]
pub struct Report {
    /// Columns; ratios are relative to the first.
    servers: Vec<String>,
    /// Lines in the order of their first appearance.
    lines: Vec<String>,
    targets: HashMap<String, (f64, f64)>,
    values: HashMap<(String, Figure, String), Vec<(usize, f64)>>,
    counts: HashMap<String, Counts>,
    /// (line, server, words) and how often.
    remarks: Vec<((String, String, String), usize)>,
}

impl Report {
    /// A report with a column for each server; the first is the baseline.
    #[must_use]
    pub fn new(servers: Vec<String>) -> Self {
        Self {
            servers,
            lines: Vec::new(),
            targets: HashMap::new(),
            values: HashMap::new(),
            counts: HashMap::new(),
            remarks: Vec::new(),
        }
    }

    /// Adds what one measurement brought.
    pub fn add(&mut self, round: usize, server: &str, cell: &Cell, measured: Measured) {
        if let Some(target) = cell.target {
            self.targets.insert(cell.name.clone(), target);
        }
        for sample in measured.samples {
            if !self.lines.contains(&sample.line) {
                self.lines.push(sample.line.clone());
            }
            let key = (sample.line, sample.figure, server.to_owned());
            self.values.entry(key).or_default().push((round, sample.value));
        }
        *self.counts.entry(server.to_owned()).or_default() += measured.counts;
        for words in measured.remarks {
            self.remark(&cell.name, server, words);
        }
    }

    /// Notes that a server could not do a cell, or what a reader must know.
    pub fn remark(&mut self, line: &str, server: &str, words: String) {
        let key = (line.to_owned(), server.to_owned(), words);
        match self.remarks.iter_mut().find(|(known, _)| *known == key) {
            Some((_, count)) => *count += 1,
            None => self.remarks.push((key, 1)),
        }
    }

    /// Every number, one per line: round, server, line, figure, value, separated by tabs.
    #[must_use]
    pub fn raw(&self) -> String {
        let mut text = String::from("round\tserver\tline\tfigure\tvalue\n");
        for line in &self.lines {
            for figure in Figure::ALL {
                for server in &self.servers {
                    for (round, value) in self.values(line, figure, server) {
                        _ = writeln!(text, "{round}\t{server}\t{line}\t{figure:?}\t{value}");
                    }
                }
            }
        }
        text
    }

    fn values(&self, line: &str, figure: Figure, server: &str) -> &[(usize, f64)] {
        let key = (line.to_owned(), figure, server.to_owned());
        self.values.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Values of `server` divided by those of `base` in the same round.
    fn ratios(&self, line: &str, figure: Figure, server: &str, base: &str) -> Vec<f64> {
        let base = self.values(line, figure, base);
        let of_round = |round| base.iter().find(|(other, _)| *other == round).map(|(_, value)| *value);
        let ratio =
            |&(round, value): &(usize, f64)| of_round(round).filter(|&base| base > 0.0).map(|base| value / base);
        self.values(line, figure, server).iter().filter_map(ratio).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::{Row, Scale, cells};
    use crate::measure::Sample;

    #[test]
    fn a_ratio_is_taken_within_a_round_and_the_median_over_rounds() {
        let cell = &cells(&[Row::Binding], Scale::FULL)[0];
        let mut report = Report::new(vec!["coturn".into(), "ours".into()]);
        for (round, base, ours) in [(0, 10.0, 5.0), (1, 20.0, 12.0), (2, 10.0, 7.0)] {
            for (server, value) in [("coturn", base), ("ours", ours)] {
                let sample = Sample { line: cell.name.clone(), figure: Figure::Cpu, value };
                let measured = Measured { samples: vec![sample], ..Measured::default() };
                report.add(round, server, cell, measured);
            }
        }
        assert_eq!(report.ratios("Binding", Figure::Cpu, "ours", "coturn"), [0.5, 0.6, 0.7]);
        let text = report.markdown(&[], &[]);
        assert!(text.contains("| Binding | 10.00 | **0.60** [0.50-0.70] | 0.70 | 0.55 |"), "{text}");
    }
}
