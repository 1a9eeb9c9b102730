//! The services behind the one AWS address, and what differs between them.

/// A service, told by the prefix of `X-Amz-Target`; S3 sends none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Service {
    SsoAdmin,
    IdentityStore,
    Organizations,
    DynamoDb,
    S3,
}

impl Service {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [
        Self::SsoAdmin,
        Self::IdentityStore,
        Self::Organizations,
        Self::DynamoDb,
        Self::S3,
    ];

    /// As the AWS command line names it; so do faults and the list of calls.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SsoAdmin => "sso-admin",
            Self::IdentityStore => "identitystore",
            Self::Organizations => "organizations",
            Self::DynamoDb => "dynamodb",
            Self::S3 => "s3",
        }
    }

    /// The service and the operation of an `X-Amz-Target`.
    pub(crate) fn of_target(target: &str) -> Option<(Self, &str)> {
        let (prefix, operation) = target.split_once('.')?;
        let service = match prefix {
            "SWBExternalService" => Self::SsoAdmin,
            "AWSIdentityStore" => Self::IdentityStore,
            "AWSOrganizationsV20161128" => Self::Organizations,
            "DynamoDB_20120810" => Self::DynamoDb,
            _ => return None,
        };
        Some((service, operation))
    }

    /// The name in the scope of a signature.
    pub(crate) fn signing_name(self) -> &'static str {
        match self {
            Self::SsoAdmin => "sso",
            other => other.name(),
        }
    }

    /// The error for too many requests.
    pub(crate) fn throttling_error(self) -> &'static str {
        match self {
            Self::SsoAdmin | Self::IdentityStore | Self::DynamoDb => "ThrottlingException",
            Self::Organizations => "TooManyRequestsException",
            Self::S3 => "SlowDown",
        }
    }

    /// The error for input that is not valid.
    pub(crate) fn validation_error(self) -> &'static str {
        match self {
            Self::Organizations => "InvalidInputException",
            _ => "ValidationException",
        }
    }

    /// The error for a failure of the service's own.
    pub(crate) fn internal_error(self) -> &'static str {
        match self {
            Self::SsoAdmin | Self::IdentityStore => "InternalServerException",
            Self::Organizations => "ServiceException",
            Self::DynamoDb => "InternalServerError",
            Self::S3 => "InternalError",
        }
    }

    /// What is answered here; a fault on anything else would never fire, so it is refused.
    pub(crate) fn operations(self) -> &'static [&'static str] {
        match self {
            Self::SsoAdmin => crate::sso_admin::OPERATIONS,
            Self::IdentityStore => crate::identity_store::OPERATIONS,
            Self::Organizations => crate::organizations::OPERATIONS,
            Self::DynamoDb => crate::dynamodb::OPERATIONS,
            Self::S3 => super::s3_call::OPERATIONS,
        }
    }
}
