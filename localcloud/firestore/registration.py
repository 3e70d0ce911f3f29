"""Firestore in the local cloud: documents, and databases."""

from localcloud.core.rpcs import Api
from localcloud.core.service import Service
from localcloud.firestore.databases import FirestoreDatabases
from localcloud.firestore.service import Firestore

FIRESTORE = Service(
    lambda cloud: Firestore(cloud.clock), transports=(Api("google.cloud.firestore_v1.services.firestore", "Firestore"),)
)
DATABASES = Service(
    lambda cloud: FirestoreDatabases(cloud.of(FIRESTORE), cloud.operations, cloud.clock),
    transports=(Api("google.cloud.firestore_admin_v1.services.firestore_admin", "FirestoreAdmin"),),
)
