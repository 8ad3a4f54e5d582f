#!/usr/bin/env python3
"""Copies conformance scenarios so that each can be loaded into Wazo's tables.

    loadable.py SCENARIOS COPY

Some files hold what those tables cannot: an unquoted empty field (NULL) in a column that is NOT NULL, a voicemail without a tenant. In the copy the
field is the empty string, as Asterisk writes it, and the voicemail belongs to the tenant of the expected call. Nothing else changes.
"""
import csv
import json
import os
import shutil
import sys


def main():
    source, copy = sys.argv[1:]
    for name in sorted(os.listdir(source)):
        folder, out = os.path.join(source, name), os.path.join(copy, name)
        if not os.path.exists(os.path.join(folder, 'expected.json')):
            continue
        os.makedirs(out)
        shutil.copy(os.path.join(folder, 'expected.json'), out)
        with open(os.path.join(folder, 'expected.json')) as f:
            expected = json.load(f)
        copy_cels(os.path.join(folder, 'cels.csv'), os.path.join(out, 'cels.csv'))
        with open(os.path.join(folder, 'directory.json')) as f:
            directory = json.load(f)
        for voicemail in directory['voicemails']:
            if voicemail['tenant_uuid'] is None and expected:
                voicemail['tenant_uuid'] = expected[0]['tenant_uuid']
        with open(os.path.join(out, 'directory.json'), 'w') as f:
            json.dump(directory, f)


def copy_cels(source, target):
    with open(source, newline='') as f:
        if ',,,' not in f.read():
            # Empty strings are quoted there, so that NULL is meant where nothing is.
            shutil.copy(source, target)
            return
    with open(source, newline='') as f:
        rows = list(csv.reader(f))
    with open(target, 'w', newline='') as f:
        f.write(','.join(rows[0]) + '\n')
        for row in rows[1:]:
            f.write(','.join(cell(column, value) for column, value in zip(rows[0], row)) + '\n')


def cell(column, value):
    return '' if column == 'extra' and not value else '"' + value.replace('"', '""') + '"'


main()
