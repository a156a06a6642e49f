from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class OpenCredentialRequest(_message.Message):
    __slots__ = ("workspace_id", "name", "purpose")
    WORKSPACE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    workspace_id: str
    name: str
    purpose: str
    def __init__(self, workspace_id: _Optional[str] = ..., name: _Optional[str] = ..., purpose: _Optional[str] = ...) -> None: ...

class OpenCredentialResponse(_message.Message):
    __slots__ = ("fields",)
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    fields: bytes
    def __init__(self, fields: _Optional[bytes] = ...) -> None: ...

class FindPublishedWorkflowRequest(_message.Message):
    __slots__ = ("workspace_id", "workflow_id")
    WORKSPACE_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    workspace_id: str
    workflow_id: str
    def __init__(self, workspace_id: _Optional[str] = ..., workflow_id: _Optional[str] = ...) -> None: ...

class PublishedWorkflow(_message.Message):
    __slots__ = ("workspace_id", "workflow_id", "workflow_version", "spec_hash")
    WORKSPACE_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_VERSION_FIELD_NUMBER: _ClassVar[int]
    SPEC_HASH_FIELD_NUMBER: _ClassVar[int]
    workspace_id: str
    workflow_id: str
    workflow_version: int
    spec_hash: str
    def __init__(self, workspace_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., workflow_version: _Optional[int] = ..., spec_hash: _Optional[str] = ...) -> None: ...

class DescribeClusterRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeClusterResponse(_message.Message):
    __slots__ = ("members", "missing", "problems", "releases", "config", "behind")
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    BEHIND_FIELD_NUMBER: _ClassVar[int]
    members: bytes
    missing: _containers.RepeatedScalarFieldContainer[str]
    problems: _containers.RepeatedScalarFieldContainer[str]
    releases: _containers.RepeatedScalarFieldContainer[str]
    config: bytes
    behind: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, members: _Optional[bytes] = ..., missing: _Optional[_Iterable[str]] = ..., problems: _Optional[_Iterable[str]] = ..., releases: _Optional[_Iterable[str]] = ..., config: _Optional[bytes] = ..., behind: _Optional[_Iterable[str]] = ...) -> None: ...

class GetConfigurationRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ChangeConfigurationRequest(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: bytes
    def __init__(self, values: _Optional[bytes] = ...) -> None: ...

class Configuration(_message.Message):
    __slots__ = ("version", "values")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    version: int
    values: bytes
    def __init__(self, version: _Optional[int] = ..., values: _Optional[bytes] = ...) -> None: ...
