"""Group failures by fingerprint"""

import sqlalchemy as sa
from alembic import op

from hub import columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
