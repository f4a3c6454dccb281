//! Numbers as text: rounded, with a true minus sign and thin spaces.

/// Text in place of a missing number.
pub const NONE: &str = "–";

/// Text of an error or another score: three decimals.
pub fn score(value: f64) -> String {
    match value {
        v if !v.is_finite() => NONE.to_string(),
        v if v.abs() >= 1e4 => signed(format!("{v:.2e}")),
        v => signed(format!("{v:.3}")),
    }
}

/// Text of an interval; `None` if one of its ends is unknown.
pub fn interval(low: f64, high: f64) -> Option<String> {
    // A minus sign beside a dash would be hard to read.
    let to = if low < 0.0 || high < 0.0 {
        " to "
    } else {
        "–"
    };
    (low.is_finite() && high.is_finite()).then(|| format!("{}{to}{}", score(low), score(high)))
}

/// Text of a number beside an axis or in a heading: as many decimals as it has, four at most.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return NONE.to_string();
    }
    if size > 0.0 && !(5e-5..1e7).contains(&size) {
        return signed(format!("{value:.1e}"));
    }
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        return "0".to_string();
    }
    signed(grouped(text))
}

/// Inserts thin spaces between thousands, from 10 000 on.
fn grouped(text: &str) -> String {
    let digits = text.trim_start_matches('-');
    let whole = digits.split('.').next().unwrap_or(digits).len();
    if whole < 5 {
        return text.to_string();
    }
    let sign = text.len() - digits.len();
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        let left = (sign + whole).saturating_sub(i);
        if i > sign && left > 0 && left.is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(c);
    }
    out
}

/// Replaces a hyphen by a minus sign.
fn signed(text: String) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_have_three_decimals_or_are_a_dash() {
        assert_eq!(score(0.41249), "0.412");
        assert_eq!(score(f64::NAN), "–");
        assert_eq!(score(1.5e7), "1.50e7");
        assert_eq!(interval(0.1, f64::INFINITY), None);
        assert_eq!(interval(0.1, 0.2).unwrap(), "0.100–0.200");
        assert_eq!(interval(-0.1, 0.2).unwrap(), "−0.100 to 0.200");
    }

    #[test]
    fn short_numbers_have_no_idle_digits() {
        assert_eq!(short(0.30000000000000004), "0.3");
        assert_eq!(short(-2.0), "−2");
        assert_eq!(short(-0.0), "0");
        assert_eq!(short(5000.0), "5000");
        assert_eq!(short(-1234567.0), "−1\u{2009}234\u{2009}567");
        assert_eq!(short(2e-6), "2.0e−6");
    }
}
