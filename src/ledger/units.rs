//! Bytes and operations as people read them.

/// `410 kB`, `31.2 MB`, `26.6 GB`: three digits.
pub fn bytes(n: u64) -> String {
    scaled(n as f64, &[(1.0, "B"), (1e3, "kB"), (1e6, "MB"), (1e9, "GB"), (1e12, "TB")])
}

/// `1.2 MFLOP`: three digits.
pub fn flops(n: f64) -> String {
    scaled(n, &[(1.0, "FLOP"), (1e3, "kFLOP"), (1e6, "MFLOP"), (1e9, "GFLOP"), (1e12, "TFLOP"), (1e15, "PFLOP")])
}

fn scaled(n: f64, units: &[(f64, &str)]) -> String {
    // 999.6 of one unit is 1.00 of the next.
    let (unit, name) = units.iter().rev().find(|(unit, _)| n >= 0.9995 * unit).copied().unwrap_or((1.0, units[0].1));
    match n / unit {
        x if unit == 1.0 => format!("{x:.0} {name}"),
        x if x >= 99.95 => format!("{x:.0} {name}"),
        x if x >= 9.995 => format!("{x:.1} {name}"),
        x => format!("{x:.2} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!([0, 999, 1000, 99_960, 26_633_437_184].map(bytes), ["0 B", "999 B", "1.00 kB", "100 kB", "26.6 GB"]);
        assert_eq!(bytes(999_600), "1.00 MB");
        assert_eq!(flops(9.996e6), "10.0 MFLOP");
    }
}
