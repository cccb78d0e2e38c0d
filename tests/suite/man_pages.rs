//! The manual pages: all there, clean, and in step with the sources that they are made from.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{OPERATIONS, root, run, scratch, tool};

const OF_PROGRAMS: [&str; 2] = ["factor2-enroll.8", "pam_factor2.8"];

/// The names of the pages of section 3, by the list of exported symbols.
pub fn of_the_library() -> BTreeSet<String> {
    let symbols = fs::read_to_string(root().join("tests/abi/symbols.txt")).unwrap();
    let functions = symbols.lines().map(|line| line.split(' ').next().unwrap());
    functions
        .chain(["factor2"])
        .map(|name| format!("{name}.3"))
        .collect()
}

/// A folder with all pages.
fn pages() -> PathBuf {
    let folder = scratch("man");
    for section in ["3", "8"] {
        run(Command::new("sh")
            .current_dir(root())
            .args(["packaging/man.sh", section])
            .arg(&folder));
    }
    folder
}

/// A page as the reader of a terminal sees it.
fn read(page: &Path) -> String {
    let output = run(tool("man")
        .args(["--no-hyphenation", "--no-justification", "-l"])
        .arg(page)
        .env("LC_ALL", "C.UTF-8")
        .env("MANWIDTH", "200")
        .env_remove("MANOPT"));
    String::from_utf8(output.stdout).unwrap()
}

fn part<'page>(page: &'page str, heading: &str) -> &'page str {
    let start = page.find(&format!("\n{heading}\n")).unwrap() + heading.len() + 2;
    let rest = &page[start..];
    let end = rest
        .match_indices('\n')
        .find(|(at, _)| rest[at + 1..].starts_with(|c: char| c.is_ascii_uppercase()));
    end.map_or(rest, |(at, _)| &rest[..at])
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .collect()
}

#[test]
fn each_function_and_each_program_has_its_page() {
    let found = fs::read_dir(pages()).unwrap();
    let found: BTreeSet<String> = found
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut expected = of_the_library();
    expected.extend(OF_PROGRAMS.map(String::from));
    assert_eq!(found, expected);
}

#[test]
fn mandoc_and_groff_find_nothing_wrong() {
    for entry in fs::read_dir(pages()).unwrap() {
        let page = entry.unwrap().path();
        run(tool("mandoc").args(["-Tlint", "-Wwarning"]).arg(&page));
        let output = run(tool("man")
            .args(["--warnings", "-Tutf8", "-l"])
            .arg(&page)
            .env("LC_ALL", "C.UTF-8")
            .env("MANWIDTH", "80"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.is_empty(), "{}: {said}", page.display());
    }
}

/// A long option has a line of the usage text to itself.
#[test]
fn an_option_is_named_once() {
    let page = fs::read_to_string(pages().join("factor2-enroll.8")).unwrap();
    for option in ["recovery\\-codes", "list"] {
        let tag = format!(".TP\n.B \\-\\-{option}\n");
        let (_, rest) = page.split_once(&tag).unwrap();
        assert!(
            !rest.starts_with("\\-") && !rest.starts_with("--"),
            "{rest}"
        );
    }
}

#[test]
fn each_synopsis_declares_what_the_header_declares() {
    let folder = pages();
    let mut program = String::new();
    for page in of_the_library() {
        let text = read(&folder.join(&page));
        let synopsis = part(&text, "SYNOPSIS");
        if page == "factor2.3" {
            assert!(synopsis.contains("#include <factor2.h>"), "{synopsis}");
        } else {
            assert!(synopsis.contains(&format!("{}(", &page[..page.len() - 2])));
            program += synopsis;
        }
    }
    let source = folder.join("synopses.c");
    fs::write(&source, program).unwrap();
    run(tool("gcc")
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"])
        .arg("-I")
        .arg(root().join("include"))
        .arg(&source));
}

#[test]
fn the_pages_say_all_that_the_header_says() {
    let folder = pages();
    let header = fs::read_to_string(root().join("include/factor2.h")).unwrap();
    let head = header.split("Made by `make header`").next().unwrap();
    let overview = read(&folder.join("factor2.3"));
    let missing: Vec<_> = words(head).difference(&words(&overview)).copied().collect();
    assert!(missing.is_empty(), "factor2(3) lacks {missing:?}");

    let mut functions = 0;
    for block in header.split("/**\n").skip(1) {
        let (comment, declaration) = block.split_once(" */\n").unwrap();
        let declaration = declaration.split(';').next().unwrap();
        if declaration.starts_with("typedef") {
            // A type: its comment is in the overview.
            let missing: Vec<_> = words(comment)
                .difference(&words(&overview))
                .copied()
                .collect();
            assert!(missing.is_empty(), "{declaration}: {missing:?}");
            continue;
        }
        let (before, _) = declaration.split_once('(').unwrap();
        let name = before.rsplit([' ', '*']).next().unwrap();
        let page = read(&folder.join(format!("{name}.3")));
        let tags = ["param", "return", "since"];
        let missing: Vec<_> = words(comment)
            .difference(&words(&page))
            .copied()
            .filter(|word| !tags.contains(word))
            .collect();
        assert!(missing.is_empty(), "{name}(3) lacks {missing:?}");
        functions += 1;
    }
    assert_eq!(functions + 1, of_the_library().len());
    let statuses = fs::read_to_string(root().join("tests/abi/status.txt")).unwrap();
    for status in statuses.lines() {
        let number = status.split(' ').next().unwrap();
        assert!(part(&overview, "CONSTANTS").contains(&format!(" ({number})")));
    }
}

/// The comments of the header's chapters, each after its title.
fn chapters(header: &str) -> Vec<(&str, &str)> {
    let comments = header.split("\n/*\n * ").skip(1);
    comments
        .map(|rest| rest.split("\n */").next().unwrap())
        .map(|comment| comment.split_once('.').unwrap())
        .collect()
}

#[test]
fn the_overview_has_every_chapter_and_every_setting() {
    let header = fs::read_to_string(root().join("include/factor2.h")).unwrap();
    let overview = read(&pages().join("factor2.3"));
    let settings = part(&overview, "SETTINGS");
    let mut tables = 0;
    for (title, comment) in chapters(&header) {
        let place = match title {
            "Settings" => settings,
            "Operations" => part(&overview, "OPERATIONS"),
            "Statuses" => part(&overview, "CONSTANTS"),
            _ => part(&overview, "FUNCTIONS"),
        };
        if !["Settings", "Operations", "Statuses"].contains(&title) {
            assert!(place.contains(title), "{title}");
        }
        let lines: Vec<&str> = comment.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let line = line.trim_start_matches([' ', '*']);
            let next = lines.get(number + 1).copied().unwrap_or_default();
            if next.contains("-|-") || line.contains("-|-") {
                tables += usize::from(line.contains("-|-"));
                continue;
            }
            let Some((member, _)) = line.split_once(" | ") else {
                let missing: Vec<_> = words(line).difference(&words(place)).copied().collect();
                assert!(missing.is_empty(), "{title} lacks {missing:?}");
                continue;
            };
            // A row: its first line has the member, its range and its default, its second what it means.
            let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
            let head = format!("\n       {}: {}; ", member.trim(), cells[2]);
            let (_, item) = settings
                .split_once(&head)
                .unwrap_or_else(|| panic!("{head}"));
            let (usual, item) = item.split_once('\n').unwrap();
            match cells[1].strip_prefix('-') {
                Some(when) => assert_eq!(usual, format!("required{when}")),
                None => assert_eq!(usual, format!("default {}", cells[1])),
            }
            // A page names another one with its section.
            let told = cells[3].replace("()", "(3)");
            assert!(item.lines().next().unwrap().ends_with(&told), "{line}");
        }
    }
    assert_eq!(tables, 3);
}

#[test]
fn each_operation_s_page_has_the_parameters_and_statuses_that_all_have() {
    let in_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let folder = pages();
    let header = fs::read_to_string(root().join("include/factor2.h")).unwrap();
    let chapters = chapters(&header);
    let shared = chapters.iter().find(|(title, _)| *title == "Operations");
    let shared: Vec<&str> = shared.unwrap().1.lines().collect();
    let parameters: Vec<&str> = shared
        .iter()
        .filter_map(|line| line.strip_prefix(" *     "))
        .collect();
    assert_eq!(parameters.len(), 4);
    let parameters = in_one_line(&parameters.join(" ").replace("()", "(3)"));
    let statuses = [
        "FACTOR2_BAD_REQUEST",
        "FACTOR2_REQUEST_TOO_LARGE",
        "FACTOR2_NULL_POINTER",
        "FACTOR2_INVALID_HANDLE",
    ];
    for (operation, _) in OPERATIONS {
        let page = read(&folder.join(format!("{operation}.3")));
        assert_eq!(
            in_one_line(part(&page, "PARAMETERS")),
            parameters,
            "{operation}"
        );
        let returned = part(&page, "RETURN VALUE");
        let shared = returned.split_once("Every operation can return").unwrap().1;
        for status in statuses {
            assert!(shared.contains(status), "{operation}: {status}");
        }
    }
}

#[test]
fn the_programs_pages_name_the_options_that_the_programs_take() {
    let folder = pages();
    let between = |text: &str, before: &str, after: &str| -> BTreeSet<String> {
        let found = text.split(before).skip(1);
        found
            .map(|rest| rest.split(after).next().unwrap().to_owned())
            .collect()
    };
    let source = |name: &str| fs::read_to_string(root().join("pam").join(name)).unwrap();

    let enroll = source("factor2_enroll.c");
    let table = enroll.split("struct option ").nth(1).unwrap();
    let table = table.split("};").next().unwrap();
    let page = read(&folder.join("factor2-enroll.8"));
    let options = part(&page, "OPTIONS");
    let mut named = BTreeSet::new();
    for line in options.lines() {
        let tag = line.trim_start();
        if tag.starts_with('-') {
            let long = tag.split("--").nth(1).unwrap();
            named.insert(long.split(' ').next().unwrap().to_owned());
        }
    }
    assert!(!named.is_empty());
    assert_eq!(between(table, "{\"", "\""), named);

    let taken = between(&source("pam_factor2.c"), "(argv[i], \"", "\"");
    let taken: BTreeSet<String> = taken
        .iter()
        .map(|option| option.trim_end_matches(['=', '/']).to_owned())
        .collect();
    let page = read(&folder.join("pam_factor2.8"));
    let named: BTreeSet<String> = part(&page, "OPTIONS")
        .lines()
        .filter(|line| line.starts_with("       ") && !line.starts_with("        "))
        .map(|line| line.trim_start().split(['=', ' ']).next().unwrap().into())
        .collect();
    assert_eq!(taken, named);
    for page in OF_PROGRAMS {
        let text = read(&folder.join(page));
        for path in ["/var/lib/factor2/users", "/var/lib/factor2/guard.db"] {
            assert!(part(&text, "FILES").contains(path), "{page}: {path}");
        }
    }
}
