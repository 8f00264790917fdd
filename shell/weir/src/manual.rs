//! `weir manual`: the manual page, in the language of man(7), from the tables of subcommands and
//! settings.

use engine::config::{Settings, When};

use crate::help::{self, TITLE, sentence};
use crate::subcommands::SUBCOMMANDS;

/// The page.
pub(crate) fn page() -> String {
    let mut page = format!(
        ".TH WEIR 1 \"\" \"weir {}\"\n.SH NAME\nweir \\- {}\n.SH SYNOPSIS\n.B weir\n\
         [\\fICONFIG_FILE\\fR] [\\fB\\-\\-\\fISETTING\\fR \\fIVALUE\\fR]...\n.br\n.B weir\n\
         \\fISUBCOMMAND\\fR [\\fIARGUMENT\\fR]...\n.SH DESCRIPTION\n",
        env!("CARGO_PKG_VERSION"),
        escaped(TITLE),
    );
    page.push_str(&escaped(
        "weir serves Redis clients. What it acknowledges is in its journal: by default each write is \
         synced to the disk before its reply leaves. Without a subcommand it serves, until a client \
         sends SHUTDOWN or the process gets SIGINT or SIGTERM.",
    ));
    page.push_str("\n.PP\n");
    page.push_str(&escaped(
        "Settings are given on the command line, in a configuration file with one `setting value` a \
         line, or to the running server by CONFIG SET. What is said later wins, and the command line \
         wins over the file.",
    ));
    page.push_str("\n.SH SUBCOMMANDS\n");
    for subcommand in SUBCOMMANDS {
        page.push_str(&format!(
            ".TP\n\\fB{}\\fR\n{}\n{}\n",
            escaped(&subcommand.usage()),
            escaped(&sentence(subcommand.summary)),
            escaped(subcommand.detail),
        ));
    }
    page.push_str(".SH SETTINGS\n");
    for setting in Settings::of_weir() {
        let live = match setting.when {
            When::Live | When::ByShell => "",
            When::Protected => " It can be changed where enable-protected-configs allows it.",
            When::AtStart => " It cannot be changed while the server runs.",
        };
        page.push_str(&format!(
            ".TP\n\\fB\\-\\-{}\\fR \\fI{}\\fR\n{}{live}\n",
            escaped(setting.name),
            escaped(help::default(setting)),
            escaped(setting.doc),
        ));
    }
    page.push_str(
        ".SH EXIT STATUS\n0 if the server was asked to stop or a subcommand succeeded; 1 if it could \
         not start, or what\n.B check\nlooked at is damaged.\n.SH SEE ALSO\n.BR redis\\-cli (1)\n",
    );
    page
}

/// A text in which nothing counts as a request or an escape of the page's language.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    match text.starts_with(['.', '\'']) {
        true => format!("\\&{text}"),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{escaped, page};
    use crate::subcommands::SUBCOMMANDS;
    use engine::config::Settings;

    #[test]
    fn the_page_has_every_subcommand_and_setting() {
        let page = page();
        for subcommand in SUBCOMMANDS {
            assert!(page.contains(&escaped(&subcommand.usage())));
        }
        for setting in Settings::of_weir() {
            assert!(page.contains(&format!("\\-\\-{}\\fR", escaped(setting.name))));
        }
    }

    #[test]
    fn no_text_is_taken_for_a_request() {
        assert_eq!(escaped(".dir -x \\"), "\\&.dir \\-x \\e");
    }
}
