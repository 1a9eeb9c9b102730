//! What S3 is asked, answered from the store. One method an operation; what is not here answers `NotImplemented`.

use s3s::dto::{BucketLocationConstraint, ObjectIdentifier, ObjectLockRetentionMode};
use s3s::dto::{
    CreateBucketInput, CreateBucketOutput, DeleteBucketInput, DeleteBucketOutput,
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    Error as ErrorDto, GetBucketLocationInput, GetBucketLocationOutput, GetBucketVersioningInput,
    GetBucketVersioningOutput, GetObjectInput, GetObjectLockConfigurationInput,
    GetObjectLockConfigurationOutput, GetObjectOutput, GetObjectRetentionInput,
    GetObjectRetentionOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput,
    ListBucketsInput, ListBucketsOutput, ListObjectVersionsInput, ListObjectVersionsOutput,
    ListObjectsV2Input, ListObjectsV2Output, PutBucketVersioningInput, PutBucketVersioningOutput,
    PutObjectInput, PutObjectLockConfigurationInput, PutObjectLockConfigurationOutput,
    PutObjectOutput, PutObjectRetentionInput, PutObjectRetentionOutput,
};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

use super::moment::Moment;
use super::retention::{Bypass, Retention};
use super::store::Store;
use super::upload::Upload;
use super::versions::{Deleted, New};
use super::{buckets, listing, objects, refusals, versions};

/// AWS's own limit for one multi-object delete.
const DELETES_MAX: usize = 1_000;

/// The operations, over one store.
#[derive(Debug, Clone)]
pub(crate) struct Operations {
    pub(crate) store: Store,
}

#[async_trait::async_trait]
impl S3 for Operations {
    async fn create_bucket(
        &self,
        req: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let input = req.input;
        let object_lock = buckets::asked(&input)?;
        let location = format!("/{}", input.bucket);
        self.store
            .run(move |tx| buckets::create(tx, &input.bucket, object_lock, Moment::now()))
            .await?;
        Ok(S3Response::new(CreateBucketOutput {
            location: Some(location),
        }))
    }

    async fn delete_bucket(
        &self,
        req: S3Request<DeleteBucketInput>,
    ) -> S3Result<S3Response<DeleteBucketOutput>> {
        let input = req.input;
        self.store
            .run(move |tx| {
                let bucket =
                    buckets::find(tx, &input.bucket, input.expected_bucket_owner.as_deref())?;
                buckets::delete(tx, &bucket)
            })
            .await?;
        Ok(S3Response::with_status(
            DeleteBucketOutput::default(),
            http::StatusCode::NO_CONTENT,
        ))
    }

    async fn head_bucket(
        &self,
        req: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        let input = req.input;
        self.store
            .run(move |tx| buckets::find(tx, &input.bucket, input.expected_bucket_owner.as_deref()))
            .await?;
        let region = Some(buckets::REGION.to_owned());
        Ok(S3Response::new(HeadBucketOutput {
            bucket_region: region,
            ..HeadBucketOutput::default()
        }))
    }

    async fn list_buckets(
        &self,
        req: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        let input = req.input;
        self.store
            .run(move |tx| buckets::list(tx, &input))
            .await
            .map(S3Response::new)
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        let input = req.input;
        self.store
            .run(move |tx| buckets::find(tx, &input.bucket, input.expected_bucket_owner.as_deref()))
            .await?;
        let location = BucketLocationConstraint::from_static(buckets::REGION);
        Ok(S3Response::new(GetBucketLocationOutput {
            location_constraint: Some(location),
        }))
    }

    async fn get_bucket_versioning(
        &self,
        req: S3Request<GetBucketVersioningInput>,
    ) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        let input = req.input;
        let bucket = self
            .store
            .run(move |tx| buckets::find(tx, &input.bucket, input.expected_bucket_owner.as_deref()))
            .await?;
        let status = bucket.versioning.to_dto();
        Ok(S3Response::new(GetBucketVersioningOutput {
            status,
            mfa_delete: None,
        }))
    }

    async fn put_bucket_versioning(
        &self,
        req: S3Request<PutBucketVersioningInput>,
    ) -> S3Result<S3Response<PutBucketVersioningOutput>> {
        let input = req.input;
        self.store
            .run(move |tx| {
                let bucket =
                    buckets::find(tx, &input.bucket, input.expected_bucket_owner.as_deref())?;
                buckets::set_versioning(tx, &bucket, &input.versioning_configuration)
            })
            .await?;
        Ok(S3Response::new(PutBucketVersioningOutput::default()))
    }

    async fn get_object_lock_configuration(
        &self,
        req: S3Request<GetObjectLockConfigurationInput>,
    ) -> S3Result<S3Response<GetObjectLockConfigurationOutput>> {
        let input = req.input;
        let bucket = self
            .store
            .run(move |tx| buckets::find(tx, &input.bucket, input.expected_bucket_owner.as_deref()))
            .await?;
        let object_lock_configuration = Some(bucket.lock_configuration()?);
        Ok(S3Response::new(GetObjectLockConfigurationOutput {
            object_lock_configuration,
        }))
    }

    async fn put_object_lock_configuration(
        &self,
        req: S3Request<PutObjectLockConfigurationInput>,
    ) -> S3Result<S3Response<PutObjectLockConfigurationOutput>> {
        let input = req.input;
        self.store
            .run(move |tx| {
                let bucket =
                    buckets::find(tx, &input.bucket, input.expected_bucket_owner.as_deref())?;
                buckets::set_object_lock(tx, &bucket, input.object_lock_configuration.as_ref())
            })
            .await?;
        Ok(S3Response::new(PutObjectLockConfigurationOutput::default()))
    }

    async fn put_object(
        &self,
        mut req: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let upload = Upload::receive(&mut req).await?;
        let input = req.input;
        let now = Moment::now();
        let new = New {
            condition: objects::condition(&input)?,
            retention: objects::asked_retention(&input, upload.integrity, now)?,
            headers: objects::headers(&input),
            upload,
        };
        self.store
            .run(move |tx| {
                let bucket =
                    buckets::find(tx, &input.bucket, input.expected_bucket_owner.as_deref())?;
                objects::put(tx, &bucket, &input.key, new, now)
            })
            .await
            .map(S3Response::new)
    }

    async fn get_object(
        &self,
        req: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = req.input;
        self.store.run(move |tx| objects::get(tx, input)).await
    }

    async fn head_object(
        &self,
        req: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = req.input;
        self.store.run(move |tx| objects::head(tx, input)).await
    }

    async fn delete_object(
        &self,
        req: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = req.input;
        let deleted = self
            .store
            .run(move |tx| {
                let bucket =
                    buckets::find(tx, &input.bucket, input.expected_bucket_owner.as_deref())?;
                let bypass = Bypass::from(input.bypass_governance_retention);
                objects::delete(tx, &bucket, &input.key, input.version_id.as_deref(), bypass)
            })
            .await?;
        let output = DeleteObjectOutput {
            delete_marker: deleted.is_marker.then_some(true),
            version_id: deleted.id,
            request_charged: None,
        };
        Ok(S3Response::with_status(
            output,
            http::StatusCode::NO_CONTENT,
        ))
    }

    async fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let input = req.input;
        if input.delete.objects.is_empty() || input.delete.objects.len() > DELETES_MAX {
            return Err(refusals::malformed_xml());
        }
        let quiet = input.delete.quiet == Some(true);
        let mut deleted = Vec::new();
        let mut errors = Vec::new();
        for object in input.delete.objects {
            let (bucket, owner) = (input.bucket.clone(), input.expected_bucket_owner.clone());
            let bypass = Bypass::from(input.bypass_governance_retention);
            let ObjectIdentifier {
                key, version_id, ..
            } = object.clone();
            // Each in a transaction of its own: a locked one does not keep the others.
            let result = self
                .store
                .run(move |tx| {
                    let bucket = buckets::find(tx, &bucket, owner.as_deref())?;
                    objects::delete(tx, &bucket, &key, version_id.as_deref(), bypass)
                })
                .await;
            match result {
                Ok(done) if !quiet => deleted.push(deleted_line(object, done)),
                Ok(_) => {}
                Err(error) if error.code().as_str() == "AccessDenied" => errors.push(ErrorDto {
                    code: Some(error.code().as_str().to_owned()),
                    message: error.message().map(str::to_owned),
                    key: Some(object.key),
                    version_id: object.version_id,
                }),
                Err(error) => return Err(error),
            }
        }
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: Some(deleted),
            errors: Some(errors),
            request_charged: None,
        }))
    }

    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = req.input;
        self.store
            .run(move |tx| listing::objects(tx, input))
            .await
            .map(S3Response::new)
    }

    async fn list_object_versions(
        &self,
        req: S3Request<ListObjectVersionsInput>,
    ) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        let input = req.input;
        self.store
            .run(move |tx| listing::versions(tx, input))
            .await
            .map(S3Response::new)
    }

    async fn get_object_retention(
        &self,
        req: S3Request<GetObjectRetentionInput>,
    ) -> S3Result<S3Response<GetObjectRetentionOutput>> {
        let input = req.input;
        let retention = self
            .store
            .run(move |tx| {
                let bucket =
                    buckets::find(tx, &input.bucket, input.expected_bucket_owner.as_deref())?;
                bucket.require_object_lock()?;
                let (version, _) =
                    versions::readable(tx, &bucket, &input.key, input.version_id.as_deref())?;
                version.retention.ok_or_else(|| {
                    s3_error!(
                        NoSuchObjectLockConfiguration,
                        "The specified object does not have a ObjectLock configuration"
                    )
                })
            })
            .await?;
        Ok(S3Response::new(GetObjectRetentionOutput {
            retention: Some(retention.to_dto()),
        }))
    }

    async fn put_object_retention(
        &self,
        req: S3Request<PutObjectRetentionInput>,
    ) -> S3Result<S3Response<PutObjectRetentionOutput>> {
        let input = req.input;
        let now = Moment::now();
        let asked = input.retention.unwrap_or_default();
        let until = asked
            .retain_until_date
            .as_ref()
            .map(Moment::of)
            .transpose()?;
        let next = Retention::asked(
            asked.mode.as_ref().map(ObjectLockRetentionMode::as_str),
            until,
            now,
        )?;
        let bypass = Bypass::from(input.bypass_governance_retention);
        self.store
            .run(move |tx| {
                let bucket =
                    buckets::find(tx, &input.bucket, input.expected_bucket_owner.as_deref())?;
                bucket.require_object_lock()?;
                let (version, _) =
                    versions::readable(tx, &bucket, &input.key, input.version_id.as_deref())?;
                if version
                    .retention
                    .is_some_and(|lock| !lock.allows_change(next, bypass, now))
                {
                    return Err(refusals::locked());
                }
                versions::set_retention(tx, &version, next)
            })
            .await?;
        Ok(S3Response::new(PutObjectRetentionOutput::default()))
    }
}

fn deleted_line(object: ObjectIdentifier, done: Deleted) -> DeletedObject {
    let marker_id = done.is_marker.then_some(done.id).flatten();
    DeletedObject {
        key: Some(object.key),
        version_id: object.version_id,
        delete_marker: done.is_marker.then_some(true),
        delete_marker_version_id: marker_id,
    }
}
