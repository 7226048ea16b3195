//! Small pieces of English that make all messages alike.

/// `connect`, `a or b`, `a, b, or c`.
pub fn or_list<T: AsRef<str>>(items: &[T]) -> String {
    list(items, "or")
}

/// `connect`, `a and b`, `a, b, and c`.
pub fn and_list<T: AsRef<str>>(items: &[T]) -> String {
    list(items, "and")
}

fn list<T: AsRef<str>>(items: &[T], word: &str) -> String {
    match items {
        [] => "nothing".to_owned(),
        [one] => one.as_ref().to_owned(),
        [one, two] => format!("{} {word} {}", one.as_ref(), two.as_ref()),
        [init @ .., last] => {
            let init: Vec<&str> = init.iter().map(AsRef::as_ref).collect();
            format!("{}, {word} {}", init.join(", "), last.as_ref())
        }
    }
}

/// `1 probe`, `3 probes`.
pub fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// The known word that a writer most likely meant, if one is near enough: at most one edit in
/// three characters.
pub fn closest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (written.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|word| (distance(&written.to_lowercase(), word), word))
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, word)| word)
}

/// Damerau-Levenshtein distance with adjacent transpositions.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let swap = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + swap);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let stages = ["connect", "banner", "rcpt", "data"];
        assert_eq!(closest("rcptto", stages), Some("rcpt"));
        assert_eq!(closest("conenct", stages), Some("connect"));
        assert_eq!(closest("zzz", stages), None);
    }

    #[test]
    fn lists_read_like_prose() {
        assert_eq!(or_list(&["a"]), "a");
        assert_eq!(or_list(&["a", "b"]), "a or b");
        assert_eq!(or_list(&["a", "b", "c"]), "a, b, or c");
        assert_eq!(plural(1, "probe"), "1 probe");
        assert_eq!(plural(2, "probe"), "2 probes");
    }
}
