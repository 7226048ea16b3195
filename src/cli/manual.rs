//! `mxdrill completions` and `mxdrill man`: what packages install beside the program, made from the same
//! definition that reads the arguments.

use clap::CommandFactory;
use clap_complete::Shell;

use super::arguments::Arguments;
use super::{Exit, Screen};

/// Prints the completions for a shell.
pub(super) fn completions(screen: &Screen, shell: Shell) -> Exit {
    let mut script = vec![];
    clap_complete::generate(shell, &mut Arguments::command(), "mxdrill", &mut script);
    screen.result(&String::from_utf8_lossy(&script));
    Exit::Clean
}

/// Prints the manual page, with a section for each command.
pub(super) fn man(screen: &Screen) -> Exit {
    let mut command = Arguments::command();
    command.build();
    let mut page = vec![];
    // It cannot fail: memory takes every byte.
    let _ = clap_mangen::Man::new(command.clone()).render(&mut page);
    for part in command.get_subcommands().filter(|part| !part.is_hide_set() && part.get_name() != "help") {
        let man = clap_mangen::Man::new(part.clone());
        page.extend(format!(".SH MXDRILL {}\n", part.get_name().to_uppercase()).bytes());
        let _ = man.render_description_section(&mut page);
        let _ = man.render_synopsis_section(&mut page);
        let _ = man.render_options_section(&mut page);
    }
    screen.result(&String::from_utf8_lossy(&page));
    Exit::Clean
}
