//! The Markdown.

use std::fmt::Write;

use super::Report;
use crate::measure::Figure;
use crate::statistics::{median, spread};

/// Columns whose name starts so are yardsticks.
const BARE: &str = "bare";

impl Report {
    /// The whole document. `machine`: lines of its description; `method`: how it was run.
    #[must_use]
    pub fn markdown(&self, machine: &[String], method: &[String]) -> String {
        let mut text = String::from("# Load: ratios to the first server, measured side by side\n\n");
        for line in machine.iter().chain(method) {
            _ = writeln!(text, "* {line}");
        }
        self.ratio_table(&mut text, Figure::Cpu, "CPU of the server per unit of work (lower is better)", "us");
        self.ratio_table(
            &mut text,
            Figure::Rate,
            "Units per second, one processor for the server (higher is better)",
            "/s",
        );
        self.busy_table(&mut text);
        self.ratio_table(&mut text, Figure::P50, "One-way delay, median", "us");
        self.ratio_table(&mut text, Figure::P99, "One-way delay, 99th percentile (noisy)", "us");
        self.absolute_table(&mut text, Figure::Resident, "User memory per idle allocation (RSS)", "kB", 1e3);
        self.absolute_table(
            &mut text,
            Figure::Slab,
            "Kernel slab per idle allocation (whole machine: noisy)",
            "kB",
            1e3,
        );
        self.counts_table(&mut text);
        self.remarks_list(&mut text);
        text
    }

    /// The baseline's median, then each server's median ratio with its spread.
    fn ratio_table(&self, text: &mut String, figure: Figure, title: &str, unit: &str) {
        let Some((base, others)) = self.servers.split_first() else { return };
        let lines: Vec<&String> = self
            .lines
            .iter()
            .filter(|line| self.servers.iter().any(|s| !self.values(line, figure, s).is_empty()))
            .collect();
        if lines.is_empty() {
            return;
        }
        let targets = figure == Figure::Cpu;
        let limit =
            targets && others.iter().any(|s| s.starts_with(BARE)) && others.iter().any(|s| !s.starts_with(BARE));
        let mut heads = vec!["work".to_owned(), format!("{base}, {unit}")];
        heads.extend(others.iter().cloned());
        if limit {
            heads.push(format!("{} : best bare", self.ours().unwrap_or_default()));
        }
        if targets {
            heads.extend(["must reach".to_owned(), "want".to_owned()]);
        }
        head(text, title, &heads);
        for line in lines {
            _ = write!(text, "| {line} | {}", number(self.median(line, figure, base)));
            for server in others {
                _ = write!(text, " | {}", ratio(&self.ratios(line, figure, server, base)));
            }
            if limit {
                _ = write!(text, " | {}", ratio(&self.distances(line)));
            }
            if targets {
                let target = self.targets.get(line);
                let show = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
                _ = write!(text, " | {} | {}", show(target.map(|t| t.0)), show(target.map(|t| t.1)));
            }
            _ = writeln!(text, " |");
        }
    }

    /// Who was the bottleneck: a server below 90 % of its processor was waiting for the generator.
    fn busy_table(&self, text: &mut String) {
        self.absolute_table(text, Figure::Busy, "Share of its processor that the server used", "%", 0.01);
    }

    fn absolute_table(&self, text: &mut String, figure: Figure, title: &str, unit: &str, scale: f64) {
        let lines: Vec<&String> = self
            .lines
            .iter()
            .filter(|line| self.servers.iter().any(|s| !self.values(line, figure, s).is_empty()))
            .collect();
        if lines.is_empty() {
            return;
        }
        let mut heads = vec![format!("work ({unit})")];
        heads.extend(self.servers.iter().cloned());
        head(text, title, &heads);
        for line in lines {
            _ = write!(text, "| {line}");
            for server in &self.servers {
                let values: Vec<f64> = self.values(line, figure, server).iter().map(|(_, v)| v / scale).collect();
                _ = match (median(&values), spread(&values)) {
                    (Some(middle), Some((least, greatest))) => {
                        write!(text, " | {middle:.1} [{least:.1}-{greatest:.1}]")
                    }
                    _ => write!(text, " | -"),
                };
            }
            _ = writeln!(text, " |");
        }
    }

    fn counts_table(&self, text: &mut String) {
        let heads =
            ["server", "sent", "delivered", "lost", "corrupt", "misdelivered", "duplicate", "reordered", "stray"];
        head(text, "Every payload, warm-up included", &heads.map(str::to_owned));
        for server in &self.servers {
            let counts = self.counts.get(server).copied().unwrap_or_default();
            _ = writeln!(
                text,
                "| {server} | {} | {} | {} | {} | {} | {} | {} | {} |",
                counts.sent,
                counts.delivered,
                counts.lost(),
                counts.corrupt,
                counts.misdelivered,
                counts.duplicate,
                counts.reordered,
                counts.stray
            );
        }
    }

    fn remarks_list(&self, text: &mut String) {
        if self.remarks.is_empty() {
            return;
        }
        _ = writeln!(text, "\n## Remarks\n");
        for ((line, server, words), count) in &self.remarks {
            _ = writeln!(
                text,
                "* {server}, {line}: {words}{}",
                if *count > 1 { format!(" ({count} times)") } else { String::new() }
            );
        }
    }

    fn median(&self, line: &str, figure: Figure, server: &str) -> Option<f64> {
        let values: Vec<f64> = self.values(line, figure, server).iter().map(|(_, value)| *value).collect();
        median(&values)
    }

    /// The first server that is neither the baseline nor a yardstick.
    fn ours(&self) -> Option<&str> {
        self.servers.iter().skip(1).find(|server| !server.starts_with(BARE)).map(String::as_str)
    }

    /// How far the kernel's limit is: our CPU divided by that of the cheapest yardstick in the same round.
    fn distances(&self, line: &str) -> Vec<f64> {
        let Some(ours) = self.ours() else { return Vec::new() };
        let bares: Vec<&String> = self.servers.iter().filter(|server| server.starts_with(BARE)).collect();
        let best = |round: usize| {
            let of = |server: &&String| {
                self.values(line, Figure::Cpu, server).iter().find(|(r, _)| *r == round).map(|(_, v)| *v)
            };
            bares.iter().filter_map(of).min_by(f64::total_cmp)
        };
        let values = self.values(line, Figure::Cpu, ours).iter();
        values.filter_map(|&(round, value)| best(round).map(|best| value / best)).collect()
    }
}

impl Figure {
    /// In the order of the raw file.
    pub(super) const ALL: [Self; 8] =
        [Self::Cpu, Self::Rate, Self::Busy, Self::Loss, Self::P50, Self::P99, Self::Resident, Self::Slab];
}

fn head(text: &mut String, title: &str, heads: &[String]) {
    _ = writeln!(text, "\n## {title}\n\n| {} |\n|{}", heads.join(" | "), "---|".repeat(heads.len()));
}

fn number(value: Option<f64>) -> String {
    match value {
        None => "-".into(),
        Some(value) if value >= 1000.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.2}"),
    }
}

fn ratio(values: &[f64]) -> String {
    match (median(values), spread(values)) {
        (Some(middle), Some((least, greatest))) => format!("**{middle:.2}** [{least:.2}-{greatest:.2}]"),
        _ => "-".into(),
    }
}
