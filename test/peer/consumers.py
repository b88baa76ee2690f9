"""Manages consumers with python-barbicanclient, whose command line does not support them in Debian's version.

usage: consumers.py container|secret register|remove|list REF [CONSUMER as JSON]

Logs in with the OS_* variables. Prints the resulting consumers as JSON.
If the client's version does not support secret consumers, the requests are sent through the client's HTTP adapter, with
the microversion in which secrets have consumers.
"""
import json
import os
import sys

from barbicanclient import client
from keystoneauth1 import session
from keystoneauth1.identity import v3

MICROVERSION = {'OpenStack-API-Version': 'key-manager 1.1'}


def log_in():
    auth = v3.Password(auth_url=os.environ['OS_AUTH_URL'],
                       username=os.environ['OS_USERNAME'],
                       password=os.environ['OS_PASSWORD'],
                       project_name=os.environ['OS_PROJECT_NAME'],
                       user_domain_name=os.environ['OS_USER_DOMAIN_NAME'],
                       project_domain_name=os.environ['OS_PROJECT_DOMAIN_NAME'])
    return client.Client(session=session.Session(auth=auth), region_name=os.environ['OS_REGION_NAME'])


def container_consumers(key_manager, action, ref, consumer):
    if action == 'register':
        return key_manager.containers.register_consumer(ref, consumer['name'], consumer['URL']).consumers
    if action == 'remove':
        key_manager.containers.remove_consumer(ref, consumer['name'], consumer['URL'])
    return key_manager.containers.get(ref).consumers


def secret_consumers(key_manager, action, ref, consumer):
    secrets = key_manager.secrets
    if hasattr(secrets, 'register_consumer'):
        if action == 'register':
            secrets.register_consumer(ref, **consumer)
        if action == 'remove':
            secrets.remove_consumer(ref, **consumer)
        return [{member: getattr(each, member) for member in ('service', 'resource_type', 'resource_id')}
                for each in secrets.list_consumers(ref)]
    adapter = secrets._api
    path = 'secrets/{}/consumers'.format(ref.rsplit('/', 1)[-1])
    if action == 'register':
        answer = adapter.post(path, json=consumer, headers=dict(MICROVERSION))
        assert consumer in answer['consumers'], answer
    if action == 'remove':
        answer = adapter.request(path, 'DELETE', json=consumer, headers=dict(MICROVERSION)).json()
        assert consumer not in answer['consumers'], answer
    listed = adapter.get(path, headers=dict(MICROVERSION))
    shown = adapter.get(path.rsplit('/', 1)[0], headers=dict(MICROVERSION))['consumers']
    assert listed['total'] == len(listed['consumers']) == len(shown), (listed, shown)
    return [{member: each[member] for member in ('service', 'resource_type', 'resource_id')}
            for each in listed['consumers']]


kind, action, ref = sys.argv[1:4]
consumer = json.loads(sys.argv[4]) if len(sys.argv) > 4 else None
work = container_consumers if kind == 'container' else secret_consumers
print(json.dumps(work(log_in(), action, ref, consumer)))
