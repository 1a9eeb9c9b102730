//! The real document and pages, over a backend that answers from a small fixed world.

mod policy;

use std::sync::{Arc, LazyLock};

use app::{
    Assets, Backend, FormState, Reader, Theme, Zone,
    view::{
        AccessFilter, AccessView, AccountView, ActionsView, ActorView, AgreementView, ApprovalKind,
        ApprovalView, AskFormView, AskState, AskView, BaselineView, BreakGlassStands,
        BreakGlassView, Certainty, CliView, ClosureView, Course, DeniedView, DraftPage, EndsView,
        EventKind, EventView, ExplainFilter, ExplainPage, FavouriteView, Field, FindingKind,
        FindingView, FindingsFilter, FindingsPage, ForeseenView, GivesView, GlassState, GlassView,
        GrantCard, GrantState, GrantView, GroupOfferView, HasView, HeldFilter, HeldPage, HeldRow,
        HeldView, HistoryFilter, HistoryPage, HistoryRow, LastTimeView, LeftView, Me, MyAccessView,
        NarrowerView, NearestView, OfferView, PageProblem, Part, PastCard, PastView,
        PermissionSetView, PersonView, PolicyFilter, PolicyPage, PrefillView, PreviewOutcome,
        PreviewView, ProposalView, ProposedBaselineView, Reason, RecentView, RequestState,
        RequestView, ReviewKind, ReviewView, RevokingView, RipeView, RouteView, SignInAgain,
        StarredOfferView, SweepMode, SweepOutcome, SweepView, TargetView, TicketView, UnitView,
        VersionView, VersionsPage, WhyNot, WireError,
    },
};
use async_trait::async_trait;
use axum::{body::Body, http::Request};
use leptos::prelude::provide_context;

/// Script, code, styles.
pub(crate) const ASSETS: (&str, &str, &str) =
    ("/pkg/belay.1.js", "/pkg/belay.1.wasm", "/pkg/belay.1.css");

/// An instant in 2026, in milliseconds.
const T: i64 = 1_795_333_685_000;

fn assets() -> Assets {
    Assets {
        js: ASSETS.0.to_owned(),
        wasm: ASSETS.1.to_owned(),
        css: ASSETS.2.to_owned(),
    }
}

/// Every address of a page, with how it is rendered. Listed once and before anything is rendered: it starts the
/// executor that rendering needs, and while it runs Leptos loads nothing in the whole process.
static ROUTES: LazyLock<Vec<String>> = LazyLock::new(|| {
    leptos_axum::generate_route_list(app::App)
        .iter()
        .map(|route| format!("{} {:?}", route.path(), route.mode()))
        .collect()
});

pub(crate) fn routes() -> &'static [String] {
    &ROUTES
}

pub(crate) fn problem_page(problem: PageProblem) -> String {
    app::problem_page(&assets(), Theme::System, problem)
}

/// Somebody who looks at pages.
#[derive(Clone)]
pub(crate) struct Person {
    name: String,
    is_auditor: bool,
    is_in_a_large_organisation: bool,
    word: String,
    console_url: String,
}

impl Person {
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            is_auditor: false,
            is_in_a_large_organisation: false,
            word: "Payments Production".to_owned(),
            console_url: "https://belay.awsapps.com/start/#/console?account_id=111122223333"
                .to_owned(),
        }
    }

    fn oversees(&self) -> Result<(), WireError> {
        if self.is_auditor {
            Ok(())
        } else {
            Err(WireError::NotAllowed)
        }
    }

    pub(crate) fn auditor(mut self) -> Self {
        self.is_auditor = true;
        self
    }

    pub(crate) fn in_a_large_organisation(mut self) -> Self {
        self.is_in_a_large_organisation = true;
        self
    }

    /// Every name, reason and note that this person is shown is this word.
    pub(crate) fn in_a_world_of(mut self, word: &str) -> Self {
        word.clone_into(&mut self.word);
        self
    }

    pub(crate) fn with_console(mut self, url: &str) -> Self {
        url.clone_into(&mut self.console_url);
        self
    }
}

fn in_zone(name: &str) -> Zone {
    Zone {
        name: name.to_owned(),
        now: T,
        offset_ms: Arc::new(|_| 3_600_000),
    }
}

/// How a person comes to pages.
#[derive(Clone)]
pub(crate) struct Door {
    person: Option<Person>,
    form: Option<FormState>,
    theme: Theme,
    zone: Zone,
}

impl Door {
    pub(crate) fn of(person: Person) -> Self {
        Self {
            person: Some(person),
            form: None,
            theme: Theme::System,
            zone: in_zone(""),
        }
    }

    pub(crate) fn of_nobody() -> Self {
        Self {
            person: None,
            form: None,
            theme: Theme::System,
            zone: in_zone(""),
        }
    }

    /// As if the page were made again for this form.
    pub(crate) fn refusing(mut self, form: FormState) -> Self {
        self.form = Some(form);
        self
    }

    pub(crate) fn in_colours(mut self, theme: Theme) -> Self {
        self.theme = theme;
        self
    }

    /// An hour ahead of UTC.
    pub(crate) fn in_zone(mut self, name: &str) -> Self {
        self.zone = in_zone(name);
        self
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        routes();
        let door = self.clone();
        let context = move || {
            provide_context(door.theme);
            provide_context(door.zone.clone());
            provide_context(door.form.clone());
            let person = door.person.clone();
            let backend = person.map(|person| Arc::new(World { person }) as Arc<dyn Backend>);
            provide_context(Reader(backend));
        };
        let render = leptos_axum::render_app_async_with_context(context, || app::shell(assets()));
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = render(request).await;
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20)
            .await
            .unwrap();
        Page {
            status,
            html: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }
}

/// What came.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) html: String,
}

impl Page {
    /// The text without the marks that Leptos leaves for its other half, which may stand inside a sentence.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut in_tag = false;
        for character in self.html.chars() {
            match character {
                '<' => in_tag = true,
                '>' => in_tag = false,
                other if !in_tag => text.push(other),
                _ => {}
            }
        }
        text.replace("&#x27;", "'").replace("&#39;", "'")
    }

    /// The tag that holds this.
    pub(crate) fn element_with(&self, part: &str) -> String {
        self.html
            .split_inclusive('>')
            .find(|tag| tag.contains(part))
            .unwrap_or_else(|| panic!("nothing has {part}: {}", self.html))
            .to_owned()
    }

    /// Every script carries the nonce of this page, and nothing that people typed became one.
    pub(crate) fn holds_no_foreign_script(&self) {
        let nonce = self
            .html
            .split_once("nonce=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .map_or_else(
                || panic!("no nonce: {}", self.html),
                |(nonce, _)| nonce.to_owned(),
            );
        assert!(nonce.len() >= 16, "{nonce}");
        for tag in self.html.split("<script").skip(1) {
            let tag = tag.split_once('>').unwrap().0;
            assert!(
                tag.contains(&format!("nonce=\"{nonce}\"")),
                "<script{tag}> is not ours"
            );
        }
        assert_eq!(self.html.matches("<title>").count(), 1);
        let title = self
            .html
            .split_once("<title>")
            .unwrap()
            .1
            .split_once("</title>")
            .unwrap()
            .0;
        assert!(!title.contains('<'), "{title}");
    }
}

struct World {
    person: Person,
}

impl World {
    fn target(&self) -> TargetView {
        TargetView::Account {
            account_id: "111122223333".to_owned(),
            account_name: self.person.word.clone(),
            ou_path: self.person.word.clone(),
            permission_set: "ReadOnlyAccess".to_owned(),
        }
    }

    fn gives(&self) -> GivesView {
        GivesView {
            held: vec![HeldView {
                account_id: "111122223333".to_owned(),
                account_name: self.person.word.clone(),
                permission_set: self.person.word.clone(),
            }],
            total: 1,
            read_at: Some(T),
        }
    }

    fn group(&self) -> TargetView {
        TargetView::Group {
            id: "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b".to_owned(),
            name: self.person.word.clone(),
            gives: self.gives(),
        }
    }

    /// One that is offered, one that is not any more, and a group.
    fn favourites(&self) -> Vec<FavouriteView> {
        let one = |offer: &str, place: &str, offered: bool| FavouriteView {
            offer: offer.to_owned(),
            name: self.person.word.clone(),
            place: place.to_owned(),
            offered: offered.then_some(StarredOfferView {
                max_duration_seconds: 900,
                approval: ApprovalKind::Automatic,
                current: None,
            }),
        };
        if self.person.is_in_a_large_organisation {
            // As many as there is room for.
            return (10..60)
                .map(|n| FavouriteView {
                    name: format!("{n}{}", "S".repeat(30)),
                    ..one(
                        &format!("1111222233{n}/{n}{}", "S".repeat(30)),
                        &"N".repeat(50),
                        true,
                    )
                })
                .collect();
        }
        vec![
            one("111122223333/ReadOnlyAccess", "Payments", true),
            one("222233334444/Gone", "Was Here", false),
            one("group/93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b", "", true),
        ]
    }

    fn permission_set(&self) -> PermissionSetView {
        PermissionSetView {
            name: "ReadOnlyAccess".to_owned(),
            description: self.person.word.clone(),
            session_seconds: 3600,
        }
    }

    fn sweep(&self) -> SweepView {
        let word = self.person.word.clone();
        SweepView {
            mode: SweepMode::Enforce,
            grace_seconds: 86_400,
            looked: Some((T, 100)),
            baseline: Some(BaselineView {
                count: 2,
                proposed_by: word.clone(),
                agreed_by: word.clone(),
                agreed_at: T,
            }),
            proposed: Some(ProposedBaselineView {
                by: word.clone(),
                reason: word.clone(),
                at: T,
                lapses_at: T,
                digest: "ab12".to_owned(),
                lines: vec![word.clone()],
                count: 2,
                can_agree: true,
                can_drop: true,
            }),
            may_propose: Some(("ab12".to_owned(), 2)),
            outcome: SweepOutcome::Waits,
            ripe: vec![RipeView {
                finding: "f1".to_owned(),
                person: self.somebody(),
                target: self.target(),
                known_since: T,
            }],
            ripe_count: 2,
            cap: 1,
            digest: word,
            can_confirm: true,
        }
    }

    fn somebody(&self) -> PersonView {
        PersonView {
            id: "u1".to_owned(),
            name: self.person.word.clone(),
            email: self.person.word.clone(),
        }
    }

    fn narrower(&self, field: Field) -> NarrowerView {
        NarrowerView {
            field,
            id: self.person.word.clone(),
            name: self.person.word.clone(),
        }
    }

    fn glass(&self) -> GlassView {
        GlassView {
            state: GlassState::Unsigned,
            missing: 1,
            sign_by: T + 86_400_000,
            signatures: vec![ReviewView {
                by: self.somebody(),
                kind: ReviewKind::Approve,
                note: self.person.word.clone(),
                seconds: None,
                at: T,
                counts: true,
            }],
            signers: vec![self.person.word.clone()],
            signers_total: 1,
        }
    }

    fn past(&self) -> PastView {
        PastView {
            index: 0,
            has: Some(HasView {
                from: None,
                until: T + 600_000,
                is_extended: true,
            }),
            times: 3,
            is_all: true,
            last: Some(LastTimeView {
                until: T - 600_000,
                approved_by: self.person.word.clone(),
            }),
            denied: Some(DeniedView {
                by: self.person.word.clone(),
                at: T - 900_000,
                note: self.person.word.clone(),
            }),
        }
    }

    fn route(&self) -> RouteView {
        RouteView {
            rule: self.person.word.clone(),
            approvals_needed: 1,
            approvals_given: 0,
            max_duration_seconds: 3600,
            approvers: vec![self.person.word.clone()],
            approvers_total: 1,
            usually_seconds: Some(330),
        }
    }
}

#[async_trait]
impl Backend for World {
    async fn me(&self) -> Result<Me, WireError> {
        Ok(Me {
            name: self.person.name.clone(),
            email: self.person.word.clone(),
            can_see_history: self.person.is_auditor,
            is_admin: false,
            waiting_count: 1,
        })
    }

    async fn access(&self, filter: &AccessFilter) -> Result<AccessView, WireError> {
        let group = GroupOfferView {
            id: "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b".to_owned(),
            name: self.person.word.clone(),
            gives: self.gives(),
            max_duration_seconds: 3600,
            approval: ApprovalKind::Automatic,
            current: None,
        };
        let offer = |name: &str| OfferView {
            permission_set: name.to_owned(),
            max_duration_seconds: 3600,
            approval: ApprovalKind::Needed { approvals: 1 },
            current: None,
        };
        let account = AccountView {
            id: "111122223333".to_owned(),
            name: self.person.word.clone(),
            tags: vec![self.person.word.clone()],
            offers: vec![offer("ReadOnlyAccess")],
            more: 12,
        };
        let units = if filter.q == "nothing" {
            Vec::new()
        } else if self.person.is_in_a_large_organisation {
            // As much as the server ever puts on a page, with the longest names that AWS allows.
            let long = AccountView {
                name: "N".repeat(50),
                tags: vec!["T".repeat(120); 8],
                offers: (0..8)
                    .map(|n| offer(&format!("{n}{}", "S".repeat(31))))
                    .collect(),
                ..account
            };
            vec![UnitView::Accounts {
                path: ["U".repeat(128), "V".repeat(128)].join(" / "),
                accounts: vec![long; 12],
            }]
        } else {
            vec![
                UnitView::Groups {
                    offers: vec![group],
                    more: 3,
                },
                UnitView::Accounts {
                    path: self.person.word.clone(),
                    accounts: vec![account],
                },
            ]
        };
        let sets = (0..8).map(|n| PermissionSetView {
            name: format!("{n}{}", "S".repeat(31)),
            description: "D".repeat(121),
            session_seconds: 3600,
        });
        Ok(AccessView {
            filter: filter.clone(),
            recent: vec![RecentView {
                request_id: "r1".to_owned(),
                targets: vec![self.target(), self.group()],
                duration_seconds: 900,
                submitted_at: T,
                approval: ApprovalKind::Needed { approvals: 2 },
                current: None,
            }],
            favourites: self.favourites(),
            units,
            permission_sets: std::iter::once(self.permission_set()).chain(sets).collect(),
            total: 240,
            pages: 3,
            is_whole: false,
            directory_at: T,
            directory_is_stale: false,
        })
    }

    async fn ask_form(
        &self,
        account_id: &str,
        permission_set: &str,
        _like: &str,
        chosen: &str,
    ) -> Result<AskFormView, WireError> {
        let target = match (account_id, permission_set) {
            ("group", "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b") => self.group(),
            (_, "ReadOnlyAccess") => self.target(),
            _ => return Err(WireError::NotFound),
        };
        Ok(AskFormView {
            target,
            description: self.person.word.clone(),
            session_seconds: 3600,
            durations_seconds: vec![20, 60, 900],
            default_duration_seconds: 900,
            min_duration_seconds: 20,
            max_duration_seconds: 900,
            reason_min_chars: 10,
            reason_max_chars: 1000,
            preview: PreviewView {
                outcome: PreviewOutcome::NeedsApproval,
                reasons: vec![Reason::NeedsApproval {
                    rule: self.person.word.clone(),
                    approvals: 1,
                }],
                routes: vec![self.route()],
                problems: Vec::new(),
                nearest: None,
            },
            also: if chosen.contains("also=") {
                vec![ForeseenView {
                    target: self.group(),
                    preview: PreviewView {
                        outcome: PreviewOutcome::Refused,
                        reasons: vec![Reason::TooLong { max_seconds: 60 }],
                        routes: Vec::new(),
                        problems: Vec::new(),
                        nearest: Some(NearestView {
                            duration_seconds: Some(60),
                            start: Some(T),
                            reason_chars: Some(20),
                            needs_ticket: true,
                            as_break_glass: true,
                            without_break_glass: false,
                        }),
                    },
                }]
            } else {
                Vec::new()
            },
            can_ask: true,
            ticket: Some(TicketView {
                required: true,
                pattern: self.person.word.clone(),
            }),
            others: vec![self.target(), self.group()],
            prefill: Some(PrefillView {
                duration_seconds: 60,
                reason: self.person.word.clone(),
                ticket: self.person.word.clone(),
                also: Vec::new(),
            }),
            current: None,
            sign_in_again: SignInAgain::NotNeeded,
            break_glass: Some(BreakGlassView {
                up_to_seconds: 900,
                is_only_way: false,
                confirmation: self.person.word.clone(),
                stands: BreakGlassStands::Open,
                sign_in_again: SignInAgain::Needed,
            }),
        })
    }

    async fn mine(&self, cursor: &str) -> Result<MyAccessView, WireError> {
        let past = PastCard {
            request_id: "r0".to_owned(),
            targets: vec![self.target(), self.group()],
            state: RequestState::Ended,
            at: T,
            duration_seconds: 900,
            receipt: None,
            is_break_glass: true,
            sessions_may_last_until: None,
        };
        if !cursor.is_empty() {
            return Ok(MyAccessView {
                past: vec![past],
                ..MyAccessView::default()
            });
        }
        Ok(MyAccessView {
            now: T,
            past: vec![past],
            next: Some(self.person.word.clone()),
            active: vec![GrantCard {
                id: "g1".to_owned(),
                request_id: "r1".to_owned(),
                ask: 0,
                target: self.target(),
                state: GrantState::Active,
                is_overdue: false,
                from: T,
                until: T + 900_000,
                console_url: Some(self.person.console_url.clone()),
                cli: Some(CliView {
                    start_url: "https://belay.awsapps.com/start".to_owned(),
                    region: "eu-central-1".to_owned(),
                }),
                is_break_glass: true,
                sessions_may_last_until: T + 4_500_000,
                trouble: None,
            }],
            ..MyAccessView::default()
        })
    }

    async fn approvals(&self) -> Result<Vec<ApprovalView>, WireError> {
        Ok(vec![ApprovalView {
            request_id: "r1".to_owned(),
            requester: self.somebody(),
            requester_groups: vec![self.person.word.clone()],
            targets: vec![self.target(), self.group()],
            reason: self.person.word.clone(),
            duration_seconds: 900,
            submitted_at: T,
            expires_at: T + 900_000,
            start: Some(T + 3_600_000),
            ticket: self.person.word.clone(),
            ticket_url: "https://tickets.example.com/INC-1".to_owned(),
            is_separate: false,
            past: vec![self.past()],
            routes: vec![self.route()],
            signing: Vec::new(),
            actions: ActionsView {
                can_approve: true,
                can_deny: true,
                note_max_chars: 1000,
                ..ActionsView::default()
            },
        }])
    }

    async fn request(&self, id: &str) -> Result<RequestView, WireError> {
        match id {
            "r1" => {}
            "broken" => return Err(WireError::Unavailable { part: Part::Store }),
            _ => return Err(WireError::NotFound),
        }
        Ok(RequestView {
            now: T,
            id: id.to_owned(),
            requester: self.somebody(),
            is_mine: true,
            reason: self.person.word.clone(),
            duration_seconds: 900,
            submitted_at: T,
            expires_at: T + 900_000,
            start: Some(T),
            ticket: self.person.word.clone(),
            is_separate: false,
            state: RequestState::Active,
            asks: vec![AskView {
                index: 0,
                target: self.target(),
                state: AskState::Approved,
                reasons: Vec::new(),
                routes: vec![self.route()],
                reviews: Vec::new(),
                grant: Some(GrantView {
                    id: "g1".to_owned(),
                    state: GrantState::Active,
                    is_overdue: false,
                    from: T,
                    until: T + 900_000,
                    active_at: Some(T),
                    console_url: Some(self.person.console_url.clone()),
                    sessions_may_last_until: T + 4_500_000,
                    trouble: None,
                    can_end: true,
                    beside: Vec::new(),
                    receipt: None,
                }),
                glass: Some(self.glass()),
            }],
            events: vec![EventView {
                id: "e1".to_owned(),
                kind: EventKind::Other(self.person.word.clone()),
                actor: ActorView::Person(self.person.word.clone()),
                at: T,
                ask: Some(0),
                note: self.person.word.clone(),
            }],
            actions: ActionsView {
                can_sign: true,
                closed: Some(ClosureView {
                    by: self.person.word.clone(),
                    at: T,
                    request_id: "r1".to_owned(),
                    can_reopen: true,
                }),
                why_not: Some(WhyNot::AlreadyDecided),
                ..ActionsView::default()
            },
        })
    }

    async fn ends(&self) -> Result<EndsView, WireError> {
        if !self.person.is_auditor {
            return Err(WireError::NotFound);
        }
        Ok(EndsView {
            at: T,
            days: 30,
            since: "2026-10-25".to_owned(),
            ends: 1_204,
            half_within_ms: 2_000,
            most_within_ms: 4_000,
            worst_ms: 8_950,
            is_behind: false,
            overdue: 2,
            overdue_at_least: false,
            overdue_since: Some(T - 400_000),
        })
    }

    async fn findings(&self, filter: &FindingsFilter) -> Result<FindingsPage, WireError> {
        if !self.person.is_auditor {
            return Err(WireError::NotFound);
        }
        assert_eq!(filter.cursor, "", "only first pages are asked for here");
        let word = self.person.word.clone();
        let proposal = ProposalView {
            number: 1,
            course: Course::Adopt,
            by: word.clone(),
            reason: word.clone(),
            at: T,
            until: T + 86_400_000,
            lapses_at: T + 86_400_000,
            can_answer: true,
            can_take_back: true,
        };
        let finding = FindingView {
            id: "f1".to_owned(),
            name: word.clone(),
            kind: FindingKind::Unmanaged,
            person: self.somebody(),
            target: self.target(),
            found_at: T,
            read: Some((T, 2)),
            why: word.clone(),
            grants: vec![word.clone()],
            courses: vec![Course::Adopt, Course::Ignore, Course::Revoke],
            is_own: false,
            is_ripe: false,
            left: Some(LeftView {
                why: "young".to_owned(),
                until: Some(T),
            }),
            proposal: None,
            can_end: true,
            revoking: None,
            failed: Some((T, word.clone())),
        };
        let sweep = self.sweep();
        let answered = FindingView {
            id: "f2".to_owned(),
            target: self.group(),
            proposal: Some(proposal),
            ..finding.clone()
        };
        let goes = FindingView {
            id: "f4".to_owned(),
            courses: Vec::new(),
            revoking: Some(RevokingView {
                proposed_by: word.clone(),
                reason: word.clone(),
                confirmed_by: word.clone(),
                confirmed_at: T,
                lapses_at: T + 86_400_000,
            }),
            ..finding.clone()
        };
        Ok(FindingsPage {
            agreed: vec![AgreementView {
                id: "f3".to_owned(),
                name: word.clone(),
                course: Course::Ignore,
                kind: FindingKind::NoLongerAllowed,
                person: self.somebody(),
                target: self.target(),
                proposed_by: word.clone(),
                reason: word.clone(),
                confirmed_by: word.clone(),
                confirmed_at: T,
                until: T + 86_400_000,
                can_give_up: true,
            }],
            open: vec![finding, answered, goes],
            next: Some(word.clone()),
            agreed_next: Some(word),
            note_max_chars: 1000,
            sweep,
        })
    }

    async fn policy(&self, _: &PolicyFilter) -> Result<PolicyPage, WireError> {
        self.person.oversees()?;
        Ok(policy::page(&self.person.word))
    }

    async fn explain(&self, filter: &ExplainFilter) -> Result<ExplainPage, WireError> {
        self.person.oversees()?;
        Ok(policy::explained(&self.person.word, filter))
    }

    async fn draft(&self, text: &str, _: &str) -> Result<DraftPage, WireError> {
        self.person.oversees()?;
        Ok(policy::draft(&self.person.word, text))
    }

    async fn versions(&self, _: &str) -> Result<VersionsPage, WireError> {
        self.person.oversees()?;
        Ok(policy::versions(&self.person.word))
    }

    async fn version(&self, _: &str) -> Result<VersionView, WireError> {
        self.person.oversees()?;
        Ok(policy::version(&self.person.word))
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<HistoryPage, WireError> {
        if !self.person.is_auditor {
            return Err(WireError::NotAllowed);
        }
        assert_eq!(filter.cursor, "", "only first pages are asked for here");
        Ok(HistoryPage {
            rows: vec![HistoryRow {
                request_id: "r1".to_owned(),
                submitted_at: T,
                requester: self.somebody(),
                targets: vec![self.group()],
                state: RequestState::Active,
                reason: self.person.word.clone(),
                ticket: self.person.word.clone(),
                duration_seconds: 900,
                reviewers: vec![self.person.word.clone()],
                from: Some(T),
                ended_at: None,
                receipt: None,
                is_break_glass: true,
            }],
            next: Some(self.person.word.clone()),
            searched_back_to: Some(T),
            looked_through: 2_000,
            called: vec![(Field::Person, self.person.word.clone())],
            narrower: vec![self.narrower(Field::Account)],
            problems: Vec::new(),
        })
    }

    async fn held(&self, filter: &HeldFilter) -> Result<HeldPage, WireError> {
        if !self.person.is_auditor {
            return Err(WireError::NotAllowed);
        }
        assert_eq!(filter.cursor, "", "only first pages are asked for here");
        Ok(HeldPage {
            rows: vec![HeldRow {
                request_id: "r1".to_owned(),
                person: self.somebody(),
                target: self.group(),
                certainty: Certainty::MayHaveHeld,
                begun: Some(T),
                active: None,
                until: T,
                ended_at: None,
                receipt: None,
                is_break_glass: true,
            }],
            from: Some(T),
            to: Some(T),
            next: Some(self.person.word.clone()),
            searched_back_to: Some(T),
            looked_through: 2_000,
            called: vec![(Field::Account, self.person.word.clone())],
            narrower: vec![self.narrower(Field::Person)],
            groups: vec![self.narrower(Field::PermissionSet)],
            problems: Vec::new(),
        })
    }
}
