//! Findings on pages, for auditors and admins: what is open, what two admins agreed about, and what
//! the person looking may do, by the snapshot. To everybody else there is no such page.

use domain::adoption::{Agreement, Course};
use domain::finding::{Difference, Finding};

use super::{Caller, Role, Service, ServiceError, SweepFound};
use crate::store::keys;

/// Findings in one page, and agreements likewise: with forms for each it is some 100 kB.
const A_PAGE: i32 = 20;

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct FindingsSearch {
    /// Only of this kind.
    pub kind: Option<Difference>,
    /// Where the page of findings before ended; empty for the first.
    pub after: String,
    /// Where the page of agreements before ended; empty for the first.
    pub agreed_after: String,
}

/// One page of each.
#[derive(Debug, Clone)]
pub struct FindingsFound {
    /// What is open, by kind.
    pub open: Vec<OpenFinding>,
    /// Where the next page of it begins.
    pub next: Option<String>,
    /// What two admins agreed about.
    pub agreed: Vec<(String, Agreement)>,
    /// Where the next page of it begins.
    pub agreed_next: Option<String>,
    /// Whether the person looking is an admin.
    pub is_admin: bool,
    /// What the sweep would do.
    pub sweep: SweepFound,
}

/// An open finding, as the person looking may treat it.
#[derive(Debug, Clone)]
pub struct OpenFinding {
    /// Its name in the table: with its id, what a form says which it means.
    pub name: String,
    /// The finding.
    pub finding: Finding,
    /// What may be done about it at all.
    pub courses: Vec<Course>,
    /// Whether it is about the person looking.
    pub is_own: bool,
    /// Whether it is about grants that an admin may end.
    pub can_end: bool,
}

/// One page of what two admins agreed about findings.
#[derive(Debug, Clone)]
pub struct AgreementsFound {
    /// Each with its name in the table.
    pub agreed: Vec<(String, Agreement)>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// Whether the person looking is an admin.
    pub is_admin: bool,
}

impl Service {
    /// One page of findings, and one of what was agreed.
    pub async fn findings(
        &self,
        caller: &Caller,
        search: &FindingsSearch,
    ) -> Result<FindingsFound, ServiceError> {
        let world = self.world()?;
        let role = self.must_oversee(&world, caller).await?;
        let (open, agreed) = tokio::try_join!(
            self.store.findings_page(search.kind, &search.after, A_PAGE),
            self.store.agreements_page(&search.agreed_after, A_PAGE),
        )?;
        let sweep = self.sweep_found(&world).await?;
        Ok(FindingsFound {
            open: open
                .0
                .into_iter()
                .map(|finding| OpenFinding {
                    name: name(&finding),
                    courses: courses(finding.difference),
                    is_own: finding.key.user == caller.who.id,
                    can_end: role == Role::Admin && is_of_grants(finding.difference),
                    finding,
                })
                .collect(),
            next: open.1,
            agreed: with_names(agreed.0),
            agreed_next: agreed.1,
            is_admin: role == Role::Admin,
            sweep,
        })
    }

    /// One page of what was agreed, after that name; empty for the first.
    pub async fn agreements(
        &self,
        caller: &Caller,
        after: &str,
    ) -> Result<AgreementsFound, ServiceError> {
        let world = self.world()?;
        let role = self.must_oversee(&world, caller).await?;
        let (agreed, next) = self.store.agreements_page(after, A_PAGE).await?;
        Ok(AgreementsFound {
            agreed: with_names(agreed),
            next,
            is_admin: role == Role::Admin,
        })
    }
}

/// Its name in the table.
fn name(of: &Finding) -> String {
    keys::finding(of.difference, &of.key).sk
}

fn with_names(agreed: Vec<Agreement>) -> Vec<(String, Agreement)> {
    let named = |agreed: Agreement| (name(&agreed.finding), agreed);
    agreed.into_iter().map(named).collect()
}

/// Whether a grant goes on that could be ended before its time. What is overdue has been ended.
pub(super) const fn is_of_grants(difference: Difference) -> bool {
    matches!(
        difference,
        Difference::NoLongerAllowed | Difference::Missing
    )
}

fn courses(difference: Difference) -> Vec<Course> {
    Course::ALL
        .into_iter()
        .filter(|course| course.fits(difference))
        .collect()
}
