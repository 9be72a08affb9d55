"""Note suspicious runs"""

import sqlalchemy as sa
from alembic import op

from hub import columns

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
