//! CreateAcls and DeleteAcls: entries that are there already are not made again, and a filter takes
//! out whatever it matches. All of a request's records stand in one batch.
//!
//! No metadata.version bounds them: every level that can be finalized has these records.
//!
//! Answers to `AclControlManager`; the checks in front of it are those of `AclApis`.

use std::collections::{BTreeSet, HashSet};

use protocol::ErrorCode;
use protocol::acl::{
    Acl, AclFilter, AclOperation, CLUSTER_NAME, PatternType, PermissionType, ResourceType,
};
use protocol::messages::create_acls_response::AclCreationResult;
use protocol::messages::delete_acls_response::{DeleteAclsFilterResult, DeleteAclsMatchingAcl};
use protocol::messages::{
    CreateAclsRequest, CreateAclsResponse, DeleteAclsRequest, DeleteAclsResponse,
};
use protocol::records::metadata::{
    AccessControlEntryRecord, MetadataRecord, RemoveAccessControlEntryRecord,
};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::error::{ApiError, outcome};
use super::{Controller, ControllerNow, ControllerResult, MAX_RECORDS_PER_REQUEST};

impl Controller {
    pub fn create_acls(
        &self,
        request: &CreateAclsRequest,
        now: &ControllerNow,
    ) -> ControllerResult<CreateAclsResponse> {
        if request.creations.iter().map(Acl::from).any(|acl| is_filter(&acl)) {
            let error = ErrorCode::UnknownServerError.into();
            return ControllerResult::unchanged(refused_creations(request, &error));
        }
        let mut draws = now.draws();
        let mut there: HashSet<Acl> = self.image.acls().iter().map(Acl::from).collect();
        let (mut records, mut results) = (Vec::<MetadataRecord>::new(), Vec::new());
        for creation in &request.creations {
            let acl = Acl::from(creation);
            let checked = check(&acl);
            results.push(created(&checked));
            if checked.is_ok() && there.insert(acl.clone()) {
                if records.len() == MAX_RECORDS_PER_REQUEST {
                    let message = "Unable to perform excessively large batch operation.";
                    let error = ApiError::new(ErrorCode::PolicyViolation, message);
                    return ControllerResult::unchanged(refused_creations(request, &error));
                }
                records.push(record(&acl, draws.topic_id()).into());
            }
        }
        ControllerResult::atomic(records, CreateAclsResponse::default().with_results(results))
    }

    pub fn delete_acls(&self, request: &DeleteAclsRequest) -> ControllerResult<DeleteAclsResponse> {
        let there: Vec<(Uuid, Acl)> =
            self.image.acls().iter().map(|record| (record.id, Acl::from(record))).collect();
        let (mut gone, mut results) = (BTreeSet::new(), Vec::new());
        for filter in &request.filters {
            let filter = AclFilter::from(filter);
            let checked = check_filter(&filter);
            let mut matching = Vec::new();
            for (id, acl) in there.iter().filter(|(_, acl)| checked.is_ok() && filter.matches(acl))
            {
                if gone.len() == MAX_RECORDS_PER_REQUEST {
                    let message = format!(
                        "Cannot remove more than {MAX_RECORDS_PER_REQUEST} acls in a single \
                         delete operation."
                    );
                    let error = ApiError::new(ErrorCode::InvalidRequest, message);
                    return ControllerResult::unchanged(refused_deletions(request, &error));
                }
                gone.insert(*id);
                matching.push(matched(acl));
            }
            let (code, message) = outcome(&checked);
            results.push(
                DeleteAclsFilterResult::default()
                    .with_error_code(code)
                    .with_error_message(message)
                    .with_matching_acls(matching),
            );
        }
        let removal = |id| RemoveAccessControlEntryRecord { id, ..Default::default() }.into();
        let records = gone.into_iter().map(removal).collect();
        ControllerResult::atomic(
            records,
            DeleteAclsResponse::default().with_filter_results(results),
        )
    }
}

/// Kafka sends an empty message with what went well.
fn created(checked: &Result<(), ApiError>) -> AclCreationResult {
    let text = checked.as_ref().map_or_else(ApiError::text, |()| Some(StrBytes::default()));
    AclCreationResult::default().with_error_code(outcome(checked).0).with_error_message(text)
}

/// Every entry gets the same refusal.
pub fn refused_creations(request: &CreateAclsRequest, error: &ApiError) -> CreateAclsResponse {
    let result =
        AclCreationResult::default().with_error_code(error.code()).with_error_message(error.text());
    CreateAclsResponse::default().with_results(vec![result; request.creations.len()])
}

/// Every filter gets the same refusal.
pub fn refused_deletions(request: &DeleteAclsRequest, error: &ApiError) -> DeleteAclsResponse {
    let result = DeleteAclsFilterResult::default()
        .with_error_code(error.code())
        .with_error_message(error.text());
    DeleteAclsResponse::default().with_filter_results(vec![result; request.filters.len()])
}

fn record(acl: &Acl, id: Uuid) -> AccessControlEntryRecord {
    AccessControlEntryRecord {
        id,
        resource_type: acl.resource_type.code(),
        resource_name: acl.resource_name.clone(),
        pattern_type: acl.pattern_type.code(),
        principal: acl.principal.clone(),
        host: acl.host.clone(),
        operation: acl.operation.code(),
        permission_type: acl.permission_type.code(),
        ..Default::default()
    }
}

fn matched(acl: &Acl) -> DeleteAclsMatchingAcl {
    DeleteAclsMatchingAcl::default()
        .with_error_message(None)
        .with_resource_type(acl.resource_type.code())
        .with_resource_name(acl.resource_name.clone())
        .with_pattern_type(acl.pattern_type.code())
        .with_principal(acl.principal.clone())
        .with_host(acl.host.clone())
        .with_operation(acl.operation.code())
        .with_permission_type(acl.permission_type.code())
}

/// Whether it has what only filters have. Kafka cannot even think of such an entry, and refuses the
/// whole request.
fn is_filter(acl: &Acl) -> bool {
    acl.resource_type == ResourceType::Any
        || matches!(acl.pattern_type, PatternType::Any | PatternType::Match)
        || acl.operation == AclOperation::Any
        || acl.permission_type == PermissionType::Any
}

/// In the order and the words of `AclApis` and `AclControlManager.validateNewAcl`.
fn check(acl: &Acl) -> Result<(), ApiError> {
    let invalid = |message: String| Err(ApiError::new(ErrorCode::InvalidRequest, message));
    let Acl { resource_type, pattern_type, operation, permission_type, .. } = acl;
    if *resource_type == ResourceType::Cluster && acl.resource_name.as_str() != CLUSTER_NAME {
        return invalid(format!("The only valid name for the CLUSTER resource is {CLUSTER_NAME}"));
    }
    if acl.resource_name.is_empty() {
        return invalid("Invalid empty resource name".to_owned());
    }
    if *resource_type == ResourceType::Unknown {
        return invalid(format!("Invalid resourceType {resource_type}"));
    }
    if !matches!(pattern_type, PatternType::Literal | PatternType::Prefixed) {
        return invalid(format!("Invalid patternType {pattern_type}"));
    }
    if *operation == AclOperation::Unknown {
        return invalid(format!("Invalid operation {operation}"));
    }
    if !matches!(permission_type, PermissionType::Deny | PermissionType::Allow) {
        return invalid(format!("Invalid permissionType {permission_type}"));
    }
    if !acl.principal.contains(':') {
        return invalid(format!(
            "Could not parse principal from `{}` (no colon is present separating the principal \
             type from the principal name)",
            acl.principal
        ));
    }
    Ok(())
}

fn check_filter(filter: &AclFilter) -> Result<(), ApiError> {
    let unknown =
        |what: &str| Err(ApiError::new(ErrorCode::InvalidRequest, format!("Unknown {what}.")));
    if filter.is_pattern_unknown() {
        unknown("patternFilter")
    } else if filter.is_entry_unknown() {
        unknown("entryFilter")
    } else {
        Ok(())
    }
}
