"""Reference machines: which ones stand for what users run, and what they show.

A row of ``reference_machines`` is never deleted while its machine is known: removing a
machine ends its row, adding it again makes another. A machine that has left stands for
nothing, though nobody removed it.
"""

from collections import defaultdict
from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection, select

from agent.wire import Profile
from server.reference import Reference, of_profiles
from server.store.tables import machines, profiles, reference_machines

_profile = msgspec.json.Decoder(Profile)

_LIVE = reference_machines.c.removed_at.is_(None) & machines.c.left_at.is_(None)


def is_reference(conn: Connection, machine_id: str) -> bool:
    """Whether a machine stands for what users run, in whichever group."""
    query = (
        select(machines.c.id)
        .join(reference_machines, reference_machines.c.machine_id == machines.c.id)
        .where(machines.c.id == machine_id, _LIVE)
    )
    return conn.execute(query).first() is not None


def load(conn: Connection) -> Mapping[str, Reference]:
    """What the reference machines of each group show by their present profiles.

    A machine that has sent no profile yet shows nothing.
    """
    query = (
        select(reference_machines.c.group_name, profiles.c.body)
        .join(machines, machines.c.id == reference_machines.c.machine_id)
        .join(profiles, profiles.c.id == machines.c.profile_id)
        .where(_LIVE)
        .order_by(reference_machines.c.group_name, machines.c.id)
    )
    shown: dict[str, list[Profile]] = defaultdict(list)
    for group, body in conn.execute(query):
        shown[group].append(_profile.decode(body))
    return {group: of_profiles(found) for group, found in shown.items()}
