//! The page on which one picks who to be.
//!
//! One form, a button a person, no script: it works in every browser, with a keyboard and with a screen reader. In an
//! organisation too big for one page a search narrows it.

use std::collections::HashMap;

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use url::form_urlencoded;

use super::{clients, page};
use crate::organisation::PersonWithGroups;

/// More people than this and a list is searched rather than read.
const BROWSABLE: usize = 40;

/// Rows on one page: enough to see that a search is right, few enough to stay a small page.
const ROWS_MAX: usize = 60;

/// Avatars differ in colour, so that two people are told apart at a glance. The stylesheet has this many.
const COLOURS: usize = 6;

/// Everything that the page shows.
#[derive(Debug)]
pub(crate) struct Picker<'a> {
    pub(crate) people: Vec<PersonWithGroups>,
    /// The `UserId` of the person who is signed in at the provider already.
    pub(crate) current: Option<String>,
    /// A `login_hint` that names nobody.
    pub(crate) unknown_hint: Option<String>,
    /// What was typed into the search.
    pub(crate) search: Option<String>,
    /// The authorization request, as it was sent.
    pub(crate) request: &'a str,
}

/// People under one heading.
struct Section<'a> {
    heading: String,
    people: Vec<&'a PersonWithGroups>,
}

impl Picker<'_> {
    /// The page.
    pub(crate) fn page(&self) -> Response {
        let found: Vec<&PersonWithGroups> = self
            .people
            .iter()
            .filter(|person| self.is_searched(person))
            .collect();
        let shown = &found[..found.len().min(ROWS_MAX)];
        let content = html! {
            h1 { "Who are you?" }
            p.lead {
                "Pick a person to sign in to " strong { (clients::CLIENT_NAME) }
                " as. There are no passwords here."
            }
            @if let Some(hint) = &self.unknown_hint {
                @if self.search.is_none() {
                    p.notice role="status" { "Nobody here is called " strong { (clipped(hint)) } ". Pick someone else." }
                }
            }
            @if self.people.len() > BROWSABLE { (self.search_form(found.len())) }
            form.people method="post" action="/sign-in" {
                input type="hidden" name="request" value=(self.request);
                @for section in sections(shown, self.current.as_deref(), &self.people) {
                    (section.markup(self.current.as_deref()))
                }
                @if found.len() > shown.len() {
                    p.more { "And " (found.len() - shown.len()) " more: search to find them." }
                }
                p.cancel { button.quiet name="act" value="cancel" { "Cancel and go back to " (clients::CLIENT_NAME) } }
            }
        };
        page::page(StatusCode::OK, "Who are you?", &content)
    }

    fn is_searched(&self, found: &PersonWithGroups) -> bool {
        let wanted = self
            .search
            .as_deref()
            .unwrap_or_default()
            .trim()
            .to_lowercase();
        let person = &found.person;
        [&person.display_name, &person.user_name, &person.email]
            .into_iter()
            .chain(&found.groups)
            .any(|text| text.to_lowercase().contains(&wanted))
    }

    /// GET back to the authorization endpoint: the same request and one more parameter, which it ignores.
    fn search_form(&self, found: usize) -> Markup {
        html! {
            form.search role="search" method="get" action="/authorize" {
                @for (name, value) in form_urlencoded::parse(self.request.as_bytes()).filter(|(name, _)| name != "q") {
                    input type="hidden" name=(name) value=(value);
                }
                label for="q" { "Find a person or a group" }
                div.search-row {
                    input #q type="search" name="q" value=(self.search.as_deref().unwrap_or_default())
                        autocomplete="off" spellcheck="false";
                    button type="submit" { "Search" }
                }
                p.count role="status" {
                    @if found == 0 { "Nobody matches." } @else { (found) " of " (self.people.len()) " people" }
                }
            }
        }
    }
}

impl Section<'_> {
    fn markup(&self, current: Option<&str>) -> Markup {
        html! {
            section.group {
                h2 { (self.heading) }
                ul {
                    @for found in &self.people { li { (card(found, current)) } }
                }
            }
        }
    }
}

fn card(found: &PersonWithGroups, current: Option<&str>) -> Markup {
    let person = &found.person;
    let colour = person.user_id.bytes().map(usize::from).sum::<usize>() % COLOURS;
    let is_current = current == Some(person.user_id.as_str());
    html! {
        button.person.current[is_current].disabled[!person.is_enabled()] name="person" value=(person.user_name) {
            span class=(format!("avatar colour-{colour}")) aria-hidden="true" { (initials(&person.display_name)) }
            span.about {
                span.name { (person.display_name) } " "
                span.email { (person.email) } " "
                span.chips {
                    @if !person.is_enabled() { span.chip.warn { "Disabled in the directory" } }
                    @if !found.groups.is_empty() { span.unseen { "Groups: " } }
                    @for group in &found.groups { span.chip { (group) } " " }
                }
            }
        }
    }
}

/// Who is signed in, then team by team, then those without one.
fn sections<'a>(
    shown: &[&'a PersonWithGroups],
    current: Option<&str>,
    everybody: &[PersonWithGroups],
) -> Vec<Section<'a>> {
    let mut sizes: HashMap<&str, usize> = HashMap::new();
    for group in everybody.iter().flat_map(|found| &found.groups) {
        *sizes.entry(group).or_default() += 1;
    }
    let size = |group: &str| sizes.get(group).copied().unwrap_or_default();
    let mut sections: Vec<(u8, Section<'a>)> = Vec::new();
    for found in shown {
        // A group that holds most people tells nobody apart; of the others the smallest says most, unless it is a
        // group of one.
        let groups = found.groups.iter().map(String::as_str);
        let team = groups
            .filter(|group| size(group) * 2 <= everybody.len())
            .min_by_key(|group| (size(group) < 2, size(group)));
        let (rank, heading) = match team {
            _ if current == Some(found.person.user_id.as_str()) => (0, "Signed in now"),
            Some(team) => (1, team),
            None => (2, "No team"),
        };
        let known = sections
            .iter_mut()
            .find(|(at, section)| *at == rank && section.heading == heading);
        if let Some((_, section)) = known {
            section.people.push(found);
        } else {
            let (heading, people) = (heading.to_owned(), vec![*found]);
            sections.push((rank, Section { heading, people }));
        }
    }
    sections.sort_by(|(a_rank, a), (b_rank, b)| (a_rank, &a.heading).cmp(&(b_rank, &b.heading)));
    sections.into_iter().map(|(_, section)| section).collect()
}

fn initials(name: &str) -> String {
    let mut words = name
        .split_whitespace()
        .filter_map(|word| word.chars().next());
    let first = words.next();
    first
        .into_iter()
        .chain(words.next_back())
        .flat_map(char::to_uppercase)
        .collect()
}

/// Somebody else's text, short enough to show.
fn clipped(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::organisation::Person;

    fn person(given: &str, groups: &[&str]) -> PersonWithGroups {
        PersonWithGroups {
            person: Person::named(format!("id-{given}"), given, "Test"),
            groups: groups.iter().map(ToString::to_string).collect(),
        }
    }

    fn outline(people: &[PersonWithGroups], current: Option<&str>) -> Vec<(String, Vec<String>)> {
        let shown: Vec<_> = people.iter().collect();
        sections(&shown, current, people)
            .into_iter()
            .map(|section| {
                (
                    section.heading,
                    section
                        .people
                        .iter()
                        .map(|found| found.person.given_name.clone())
                        .collect(),
                )
            })
            .collect()
    }

    #[test]
    fn people_stand_under_their_smallest_team_and_not_under_a_group_of_everybody() {
        let people = [
            person("Ana", &["All", "Payments", "SRE"]),
            person("Carla", &["All", "Payments"]),
            person("Ben", &["All", "Oncall", "SRE"]),
            person("Dmitri", &["All", "Payments"]),
            person("Liam", &[]),
            person("Hugo", &["All", "Audit"]),
            person("Eve", &["All"]),
            person("Gil", &[]),
        ];
        let heading = |heading: &str, people: &[&str]| {
            (
                heading.to_owned(),
                people.iter().map(ToString::to_string).collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            outline(&people, Some("id-Carla")),
            [
                heading("Signed in now", &["Carla"]),
                heading("Audit", &["Hugo"]),
                heading("Payments", &["Dmitri"]),
                heading("SRE", &["Ana", "Ben"]),
                heading("No team", &["Liam", "Eve", "Gil"]),
            ]
        );
    }

    #[test]
    fn initials_are_of_the_first_and_the_last_name() {
        assert_eq!(initials("Ana Silva"), "AS");
        assert_eq!(initials("Ana Maria da Silva"), "AS");
        assert_eq!(initials("émile"), "É");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn what_others_wrote_is_text_on_the_page_and_never_markup() {
        let picker = Picker {
            people: vec![person("<script>alert(1)</script>", &["\"><img>"])],
            current: None,
            unknown_hint: Some("<b>x</b>".to_owned()),
            search: None,
            request: "state=\"><script>",
        };
        let markup = picker.page();
        assert_eq!(markup.status(), StatusCode::OK);
        let section = Section {
            heading: "<i>".to_owned(),
            people: picker.people.iter().collect(),
        };
        let text = section.markup(None).into_string();
        assert!(
            !text.contains("<script>") && !text.contains("<img>") && !text.contains("<i>"),
            "{text}"
        );
    }
}
