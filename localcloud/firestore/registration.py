"""Firestore in the local cloud: documents, and databases."""

from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

from localcloud.core.service import Later, Service
from localcloud.firestore.databases import FirestoreDatabases
from localcloud.firestore.service import Firestore

FIRESTORE = Service(lambda cloud: Firestore(cloud.clock), transports=(FirestoreGrpcTransport,))
DATABASES = Service(
    lambda cloud: FirestoreDatabases(cloud.of(FIRESTORE), cloud.operations, cloud.clock),
    transports=(Later("google.cloud.firestore_admin_v1.services.firestore_admin", "FirestoreAdmin"),),
)
