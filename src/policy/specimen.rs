//! Policies in which one thing is wrong: what a sender does with one is what it does about that thing.

/// A text without any problem in which one line is replaced, or added where no line has its key.
pub(super) fn with_line(line: &str) -> String {
    let key = line.split(':').next().unwrap_or("").trim();
    let mut text = String::new();
    let mut placed = false;
    for (known, sound) in SOUND {
        if *known == key && !placed {
            text.push_str(line);
            placed = true;
        } else {
            text.push_str(sound);
        }
        text.push('\n');
    }
    if !placed {
        text.push_str(line);
        text.push('\n');
    }
    text
}

const SOUND: &[(&str, &str)] = &[
    ("version", "version: STSv1"),
    ("mode", "mode: enforce"),
    ("mx", "mx: mail.example.com"),
    ("max_age", "max_age: 604800"),
];

/// The sound text without a key, with `more` behind it.
pub(super) fn sound(without: Option<&str>, more: &str) -> String {
    let lines = SOUND.iter().filter(|(key, _)| Some(*key) != without).map(|(_, line)| format!("{line}\n"));
    lines.collect::<String>() + more
}
