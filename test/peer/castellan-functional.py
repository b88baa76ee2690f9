"""Runs castellan's functional tests for Barbican and writes Subunit v2 to standard output.

AUTH_URL names the identity API, KEY_MANAGER_URL the key manager. The tests read the accounts from a file in
`etc/castellan`, but leave castellan's own options at their defaults, which point at a devstack.
"""
import os
import sys

from castellan import options
from castellan.tests.functional.key_manager import test_barbican_key_manager as tests
from oslo_config import cfg
from oslo_context import context
from subunit import run


class RequestContext(context.RequestContext):
    """Accepts `tenant`, which oslo.context 5 removed: without it, all of Debian's castellan tests would be skipped."""

    def __init__(self, tenant=None, **values):
        super().__init__(project_id=tenant, **values)


tests.context.RequestContext = RequestContext
options.set_defaults(cfg.CONF,
                     auth_endpoint=os.environ['AUTH_URL'],
                     barbican_endpoint=os.environ['KEY_MANAGER_URL'])
run.main([sys.argv[0], tests.__name__])
