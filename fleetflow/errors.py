"""The errors that cross package borders; each class says who has to act."""


class FleetFlowError(Exception):
    """Something a person can act on; its text is one sentence without a traceback."""


class ConfigurationError(FleetFlowError):
    """A setting, a schema version or the machine is not as it must be; the operator acts."""


class StorageUnavailableError(FleetFlowError):
    """Postgres did not answer in time or refused the connection; trying again later may work."""


class QueueUnavailableError(FleetFlowError):
    """The wake-up queue did not answer in time; stored trips are found by the sweep all the same."""
