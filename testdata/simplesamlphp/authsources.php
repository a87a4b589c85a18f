<?php
// The people. Passwords are the username and "pass".
$config = [
    'admin' => ['core:AdminPassword'],
    'people' => [
        'exampleauth:UserPass',
        'alice:alicepass' => [
            'uid' => ['alice'],
            'email' => ['alice@company.test'],
            'firstName' => ['Alice'],
            'lastName' => ['Ärlig'],
            'groups' => ['engineering', 'R&D <core>'],
        ],
        'bob:bobpass' => [
            'uid' => ['bob'],
            'email' => ['bob@company.test'],
            'firstName' => ['Bob'],
            'lastName' => ['Builder'],
            'groups' => ['engineering'],
        ],
        'noemail:noemailpass' => [
            'uid' => ['noemail'],
            'firstName' => ['No'],
            'lastName' => ['Mail'],
        ],
    ],
];
foreach (range(0, 9) as $i) {
    $config['people']["someone$i:someone{$i}pass"] = [
        'uid' => ["someone$i"],
        'email' => ["someone$i@company.test"],
        'firstName' => ['Some'],
        'lastName' => ['Body'],
    ];
}
