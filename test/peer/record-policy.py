"""Records the decisions of Barbican's policy engine, for test/access/policy.test.ts.

usage: record-policy.py > recorded/policy.json

Needs Debian's python3-barbican and python3-oslo.policy, but no running service. Every rule is evaluated through the code
that protects Barbican's controllers (the real class builds the target), for every combination of roles, relation to the
entity, privacy and membership in the ACL, with enforce_new_defaults off (legacy) and on (secure).
"""
import importlib
import json
import logging
import warnings
from types import SimpleNamespace

from oslo_policy import policy as oslo_policy
from webob import Request

from barbican import context
from barbican.api import controllers
from barbican.common import config
from barbican.common import policy

ROLES = {
    'none': [],
    'reader': ['reader'],
    'member': ['member', 'reader'],
    'admin': ['admin', 'member', 'reader'],
    'bare admin': ['admin'],
    'creator': ['creator'],
    'observer': ['observer'],
    'audit': ['audit'],
    'service-admin': ['key-manager:service-admin'],
}
# User and project of the caller; the entity was created by ('maker', 'home').
RELATIONS = {
    'owner': ('maker', 'home'),
    'colleague': ('other', 'home'),
    'stranger': ('other', 'elsewhere'),
    'owner elsewhere': ('maker', 'elsewhere'),
}

# By controller: the kind of entity that it holds, and the rules that it evaluates, under this service's names.
ENTITY_RULES = {
    'secrets.SecretController': ('secret', ['secret:get', 'secret:decrypt', 'secret:put', 'secret:delete']),
    'secretmeta.SecretMetadataController': ('secret', [
        'secret_meta:get', 'secret_meta:post', 'secret_meta:put', 'secret_meta:delete']),
    'acls.SecretACLsController': ('secret', ['secret_acls:get', 'secret_acls:put_patch', 'secret_acls:delete']),
    'consumers.SecretConsumersController': ('secret', [
        'secret_consumers:get', 'secret_consumers:post', 'secret_consumers:delete']),
    'consumers.SecretConsumerController': ('secret', ['secret_consumer:get']),
    'containers.ContainerController': ('container', ['container:get', 'container:delete']),
    'containers.ContainersSecretsController': ('container', ['container_secret:post', 'container_secret:delete']),
    'acls.ContainerACLsController': ('container', [
        'container_acls:get', 'container_acls:put_patch', 'container_acls:delete']),
    'consumers.ContainerConsumersController': ('container', [
        'container_consumers:get', 'container_consumers:post', 'container_consumers:delete']),
    'consumers.ContainerConsumerController': ('container', ['container_consumer:get']),
    'orders.OrderController': ('order', ['order:get', 'order:delete']),
    'secrets.SecretsController': (None, ['secrets:post', 'secrets:get']),
    'containers.ContainersController': (None, ['containers:post', 'containers:get']),
    'orders.OrdersController': (None, ['orders:post', 'orders:put', 'orders:get']),
    'quotas.QuotasController': (None, ['quotas:get']),
    'quotas.ProjectQuotasController': (None, ['project_quotas:get', 'project_quotas:put', 'project_quotas:delete']),
    'secretstores.SecretStoresController': (None, [
        'secretstores:get', 'secretstores:get_global_default', 'secretstores:get_preferred']),
    'secretstores.SecretStoreController': (None, ['secretstore:get']),
    'secretstores.PreferredSecretStoreController': (None, [
        'secretstore_preferred:post', 'secretstore_preferred:delete']),
    'transportkeys.TransportKeysController': (None, ['transport_keys:get', 'transport_keys:post']),
    'transportkeys.TransportKeyController': (None, ['transport_key:get', 'transport_key:delete']),
}
BARBICAN_NAMES = {'secret_consumer:get': 'consumer:get', 'container_consumer:get': 'consumer:get'}


def entity_of(private, on_acl, user):
    """Returns an entity as loaded from the database, with an ACL only if it is private or has the user."""
    acls = []
    if private or on_acl:
        users = ['somebody', user] if on_acl else ['somebody']
        acls = [SimpleNamespace(operation='read', project_access=not private,
                                to_dict_fields=lambda: {'users': users})]
    return SimpleNamespace(project=SimpleNamespace(external_id='home'), creator_id='maker',
                           secret_acls=acls, container_acls=acls)


def controller_of(name, kind, entity):
    """Returns an instance of the real controller, without running its constructor, which needs a database."""
    module, class_name = name.split('.')
    controller_class = getattr(importlib.import_module('barbican.api.controllers.' + module), class_name)
    controller = object.__new__(controller_class)
    controllers.ACLMixin.__init__(controller)
    if kind:
        setattr(controller, kind, entity)
        setattr(controller, kind + '_project_id', entity.project.external_id)
    return controller


def permits(rule, name, kind, roles, relation, private, on_acl):
    user, project = RELATIONS[relation]
    caller = context.RequestContext(user_id=user, project_id=project, roles=roles)
    request = Request.blank('/', environ={'barbican.context': caller})
    controller = controller_of(name, kind, entity_of(private, on_acl, user))
    try:
        controllers._do_enforce_rbac(controller, request, BARBICAN_NAMES.get(rule, rule), caller)
        return True
    except (oslo_policy.PolicyNotAuthorized, oslo_policy.InvalidScope):
        return False


def cells(rule, name, kind):
    """Returns one word per set of roles, with one digit per relation x private x ACL: 1 allowed, 0 refused."""
    return ' '.join(''.join(str(int(permits(rule, name, kind, roles, relation, private, on_acl)))
                            for relation in RELATIONS for private in (False, True) for on_acl in (False, True))
                    for roles in ROLES.values())


def record(new_defaults):
    policy.reset()
    config.CONF.set_override('enforce_new_defaults', new_defaults, 'oslo_policy')
    config.CONF.set_override('enforce_scope', False, 'oslo_policy')
    policy.init()
    return {rule: cells(rule, name, kind) for name, (kind, rules) in ENTITY_RULES.items() for rule in rules}


def main():
    warnings.simplefilter('ignore')
    logging.disable(logging.CRITICAL)
    config.CONF([], project='barbican', default_config_files=[])
    kinds = {rule: kind or 'collection' for kind, rules in ENTITY_RULES.values() for rule in rules}
    recorded = {'roles': list(ROLES), 'relations': list(RELATIONS), 'kinds': kinds,
                'legacy': record(False), 'secure': record(True)}
    print(json.dumps(recorded, indent=2))


if __name__ == '__main__':
    main()
