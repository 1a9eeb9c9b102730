//! The buckets on disk: one `SQLite` database in the data folder.
//!
//! `SQLite` and not a tree of files, because what S3 promises is what a database does: a put is there whole or not at
//! all, of two conditional puts one wins, keys list in byte order, and what was acknowledged survives `kill -9` and a
//! power cut. It is the `SQLite` that already holds the sandbox's DynamoDB.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use s3s::{S3Error, S3Result};

/// Another process on the same folder (a copy, a backup) may hold the file for a moment.
const BUSY_FOR: Duration = Duration::from_secs(5);

/// Raised when the tables change shape; a folder of another number is refused, never guessed at.
const SCHEMA_VERSION: i64 = 1;

/// `id` is `null` for a version that was written while the bucket was not versioned. `seq` orders the versions of a
/// key: the greatest is the latest. A delete marker is a version without a body.
const SCHEMA: &str = "
    CREATE TABLE bucket (
        name              TEXT PRIMARY KEY,
        created_ms        INTEGER NOT NULL,
        versioning        TEXT NOT NULL CHECK (versioning IN ('off', 'enabled', 'suspended')),
        object_lock       INTEGER NOT NULL,
        retention_mode    TEXT,
        retention_days    INTEGER,
        retention_years   INTEGER
    ) STRICT;
    CREATE TABLE version (
        seq               INTEGER PRIMARY KEY AUTOINCREMENT,
        bucket            TEXT NOT NULL REFERENCES bucket (name),
        key               TEXT NOT NULL,
        id                TEXT NOT NULL,
        is_marker         INTEGER NOT NULL,
        modified_ms       INTEGER NOT NULL,
        size              INTEGER NOT NULL,
        etag              TEXT NOT NULL,
        headers           TEXT NOT NULL,
        checksum_kind     TEXT,
        checksum          TEXT,
        retention_mode    TEXT,
        retain_until_ms   INTEGER,
        body              BLOB
    ) STRICT;
    CREATE UNIQUE INDEX version_id ON version (bucket, key, id);
    CREATE INDEX version_seq ON version (bucket, key, seq DESC);
";

/// Why the buckets cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The folder cannot be made.
    #[error("cannot make {}: check that the data folder is writable", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// `SQLite` cannot open or prepare the file.
    #[error("cannot open {}: remove it to start with empty buckets", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// `SQLite`'s reason.
        source: rusqlite::Error,
    },
    /// The file was written by another version of the sandbox.
    #[error("{} has version {found} and this sandbox reads {SCHEMA_VERSION}: remove it to start anew", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// The version that it has.
        found: i64,
    },
}

/// One connection, used by one request at a time: `SQLite` has one writer anyway, and a laptop's sandbox few readers.
#[derive(Debug, Clone)]
pub(crate) struct Store(Arc<Mutex<Connection>>);

impl Store {
    /// Opens or makes the database in `folder`.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(|source| StoreError::Folder {
            path: folder.to_path_buf(),
            source,
        })?;
        let path = folder.join("buckets.sqlite");
        let failed = |source| StoreError::Database {
            path: path.clone(),
            source,
        };
        let mut connection = Connection::open(&path).map_err(failed)?;
        connection.busy_timeout(BUSY_FOR).map_err(failed)?;
        // WAL so that a commit is one write; FULL so that a commit is on disk when S3 says 200.
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(failed)?;
        connection
            .pragma_update(None, "synchronous", "FULL")
            .map_err(failed)?;
        connection
            .pragma_update(None, "foreign_keys", true)
            .map_err(failed)?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let found: i64 = transaction
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed)?;
        match found {
            0 => {
                transaction.execute_batch(SCHEMA).map_err(failed)?;
                transaction
                    .pragma_update(None, "user_version", SCHEMA_VERSION)
                    .map_err(failed)?;
            }
            SCHEMA_VERSION => {}
            found => return Err(StoreError::Schema { path, found }),
        }
        transaction.commit().map_err(failed)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Runs `act` in one transaction: all of it happens when it returns `Ok`, and nothing when it does not.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> S3Result<T> + Send + 'static,
    ) -> S3Result<T> {
        let store = self.clone();
        tokio::task::spawn_blocking(move || store.run_blocking(act))
            .await
            .map_err(S3Error::internal_error)?
    }

    /// [`Store::run`] for callers that are not asynchronous.
    pub(crate) fn run_blocking<T>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> S3Result<T>,
    ) -> S3Result<T> {
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Immediate: whoever reads a condition also holds the right to write on it.
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(internal)?;
        let result = act(&transaction)?;
        transaction.commit().map_err(internal)?;
        Ok(result)
    }
}

/// A database that fails is the server's own fault: 500.
pub(crate) fn internal(error: rusqlite::Error) -> S3Error {
    S3Error::internal_error(error)
}
