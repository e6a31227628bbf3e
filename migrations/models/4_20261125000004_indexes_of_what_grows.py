"""Indexes for what grows: a board's events by kind and time, comments from the newest, and what names a person or an agent.

Without the last ones, deleting an agent reads every comment, approval and entry there is, and deleting a board does so
once for each of its agents.
"""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

SAID = """WHERE "deleted_at" IS NULL AND TRIM("message") <> ''"""
NAMING = (
    ("idx_task_comments_agent", "task_comments", "agent_id"),
    ("idx_task_comments_user", "task_comments", "user_id"),
    ("idx_approvals_agent", "approvals", "agent_id"),
    ("idx_approvals_requester", "approvals", "requested_by_user_id"),
    ("idx_approvals_decider", "approvals", "resolved_by_user_id"),
    ("idx_board_memory_agent", "board_memory", "author_agent_id"),
    ("idx_board_memory_user", "board_memory", "author_user_id"),
    ("idx_group_memory_agent", "board_group_memory", "author_agent_id"),
    ("idx_group_memory_user", "board_group_memory", "author_user_id"),
    ("idx_tasks_created_by", "tasks", "created_by_user_id"),
    ("idx_task_attachments_agent", "task_attachments", "agent_id"),
    ("idx_task_attachments_user", "task_attachments", "user_id"),
    ("idx_agent_questions_answerer", "agent_questions", "answered_by_user_id"),
    ("idx_board_webhooks_agent", "board_webhooks", "agent_id"),
    ("idx_invites_creator", "organization_invites", "created_by_user_id"),
    ("idx_invites_accepter", "organization_invites", "accepted_by_user_id"),
    ("idx_password_resets_user", "password_resets", "user_id"),
    ("idx_users_active_organization", "users", "active_organization_id"),
)
INDEXES = {
    "idx_events_kind": """ON "events" ("board_id", "kind", "created_at", "task_id")""",
    "idx_task_comments_shown": f"""ON "task_comments" ("created_at", "id") {SAID}""",
    "idx_task_comments_counted": f"""ON "task_comments" ("task_id") {SAID}""",
    **{name: f"""ON "{table}" ("{column}") WHERE "{column}" IS NOT NULL""" for name, table, column in NAMING},
}
CREATED = "\n".join(f"""CREATE INDEX "{name}" {what};""" for name, what in INDEXES.items())
DROPPED = "\n".join(f"""DROP INDEX "{name}";""" for name in INDEXES)
UP = {"sqlite": CREATED, "postgres": CREATED}
DOWN = {"sqlite": DROPPED, "postgres": DROPPED}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]


MODELS_STATE = (
    "eJztXf1z2zaa/lcw+qXtjOpxHOej6c3N2Knb9W4a9xJnu3vbHQoiYYlnilAI0ora7f9+AEhK/AApgiIpinrvZrYOiR"
    "ekHoAA3uf9+mO0oBZx2NmVadLA9W+eiOuP3qA/Ri5eEP6H8v4YjfByub0rLvh46kgBHLY0iGgqb+Ep8z1sin4fsMMI"
    "v2QRZnr20repK2TuXIJ4a2+N6APy5wRFnSCHzt4gZs/cb22XjdESM7ainsX/9OkjcdkZeh8spsQjFsKuhcw5tl3+t2"
    "M/8g7lC5yJN7CoyV/BdmddPCxw7c8BMXw6I7x3jz/yX//ml23XIl8IE//8Y/RgE8eSf48CRjzDtoQkI59Hoin5svQI"
    "YxwcFktHw+EGjiPAXi8l1iPZmIMr//GnaLh8NGTnqUEMu5fXjVj206fbH36ULQVAU8OkTrBwt62Xa39O3U3zILCtMy"
    "Ej7s2ISzzsEysxpOLVojkQXwqR4Bd8LyAbCKztBYs84MARE2P0Xw+Ba4r5gBa2/On8hfggUefMpB45sy125pIVB+q/"
    "o/dNyBrG+7t74+PNvWGMcpMrgiw5BaJL/AFiYtpimnK0/gz73aIkr47EA97+5erD189ffiNxocyfefKmxHD0pxTEPj"
    "a2o7qFXoxpDvtre3br+mr0I4EM/Hb42TUPfAxPC4Dyt+X/+fa7i4vnz19dnD9/+frF5atXL16fv+Zt5fvmb70qGYXr"
    "259u39+LF6J8OQlXG3FBDMAW8Ef+Y/OIv51jT4133D4DOP8hdQCPL2wR3y55XUC+wF8Mh7gzf87/+fKyBM2/X32Q0/"
    "rl5TdpSN9Hdy7krTS4icWq6mqSENljSYnmbV9w3met2KLJ90SqC2dSBvBM4ykW4TyW93yHVGMZt+/u0x/98ecBtq/7"
    "m3/IZXPB2Gcn+Yl//fPVPySwi3V0593d+5/i5okl4e27u+sM2PyI8mTMMZvrLLYpIVhxK6y4uggDuBrgmh4RYBjYVy"
    "zBvvkDv+nbC6JGOi2cwduKRM/iP1pbUXYcnE2Hmo9nLl0d4tx8f/vzzcf7q59/Sa0+P1zd34g7F6mVJ7769cvMAG46"
    "Qb/e3v8FiX+i/717fzMSD8aBTw3+6wxsJfGJL8eXpGr08Jg4oYsLU2w+rrBnGbk79IIWtc3fWlwsslewi2dywARk4j"
    "0jNfqWI4ddk3wkvh9imtO0s03GZcq2HTU2WNhaQ99+wk5AYhV4NacOQbI3Ph1FszFigTlHmMn7vPtgiUz+Al8x9MAf"
    "RLwlnxS+WrturuvdunShziv/q7Fwxu2bWTgPq3i1smwW67hyvHUOXhuBQexSXZy8erJ+/RJxYh8I/2xVq1e6QenaFf"
    "NrhifaVly5rhB1ybdiQ0WO7T6ile3P+RJji/UELYnH+D4oeuP/cslqw+Hl16l9OtpjVQIm7mBMXGJv0dkXMmKwPew8"
    "VZMvS5sPS71TdVr4UKfqA+0WvTkuZzi/mhpSQrKBgTweyqqf4wjK7imO+sEY+yNad3ccKnJn7zS6eWh/5HPRnrl/I2"
    "sJcKzRKwCNTs2fom6OE9Lt1e0q7eHV5vSbnFD8t/NfTPzw0HX18e3VDzeh4bp7ZeZjaGMfKdSY+FapAsNiG31FzUW4"
    "FhDrW9tFU4+uOCbfSwLEpPTR5v/BnmcToW8wwldbXxAnjCQZESSmkcUQVzmISqFpvH/Qc0DPAT2n3BjOlxYVzsXcV1"
    "qqFsxHdBJuw/II+uWgTqgOZr7BCHHrDWhWHHSToxl50EhPcdRBIwWNFDRSpUZ6L/zMRwp9NLwxLtNGQx/1qrrolGCP"
    "eLEqSB+ENSw2e309WZiBMfkGUU9elodVeRXzq9/za84a2X7KWo9shh7JUuEQ0PKzQEc9Rh1V7ZxRrDQ165xRaWM/xH"
    "7dkp/mg/1FhwnYSgzCPSNNAzx7WYEGeJY9BG1pAHErDTDwLR3xLcykoo8cxn/9ePe+IJZmI5HVD2zTR/9Bjs2qhNUc"
    "D98ioChfQbKLRWbtFh1kVxCP8J/NfGbwPdtY2G7gK9buwnimAula8U09G4gowOni2eWry9fPX15u4po2V8rCmfKhS/"
    "0itnoG9tHpuR554kfymuxGWhhG8+CjKWnG+q4wWXEY0YOPKLCPpzjqkmDQjblMyEDMJUQED5TM7Sei+3O5uc+/AUiv"
    "4n6GiWlyxesTQS5nsoIfj2d4MT0uZklldjwkp1VcduIOMM/HyDzzc4X3aBTuWsV8XU5wcIzdxYsXFSg73qqQs5P3Mp"
    "zGAtuODs4bgSG4RqUBfn5xXgFg3qoQYHlPAbDxRDybd6qY0deUOgS7JWCnhDOoT7l0W9rL5kq3i8f13d27lEpyfZs1"
    "o3z6+frmw9fP5DDwRna49+UJu07NWD2b2oewYxHP4zq3Lup5ScC/Dv7UpYGrsL+UIb+VAcz1MRfc0e/U1ZrtSRnAXB"
    "9zl/oqI2PJoh4LANr6aAulgiOrg3dCBBDXR9xmBguELRZbC9vVPC/mheG8qHFe3KS8UGf1KtlIs4Iw82usNWDwOUGD"
    "T7C06o96WhhG/WhGHXO4nohBvRl27d9l2jH9RKsFPYDRqtRopQCuAYPLXaa7owR6t92lcNKlrDD8ddD7T+/eHcoMc0"
    "15F1emSVg4YTLWmOTtcZlRJvU7p0LKwFuxnYaaX+fYRxgtiMjKLzN40YBfcBF2nG9ldww9OHiGFniNLIr4+iliDOSd"
    "vHFn794UBqF/pX9i2LdoK6VG/waDUS9Ws3GZwQi7Bj/76TLrSbEOdaR4XI5WRRK4rTxb5WK8E++NHCilOoiDWnSCB2"
    "RQi05x1MMzlt5pIikD0deZxVNxvNOEt7gHALtc0Sw4Wu+paP686eg4Md6pYxZPuN3uk6Hasj/I13E/A8U4uWb2yX/y"
    "1n0Kz4GKsgNP0eG5orpuS4GqLpUuku2l6PcyoF/mKxCh/MynsqSeSE2XjPIXNfbYnK6Emm2qEt410ye4cR6jVh7OPs"
    "vQdi/MCbYV4344P85W3Awhyr2jKHf+bWrVLYnbd5gaY3vWOsZ8DdhxQq6Z1eH1FNLANmmwTQn86tB8KnHAXwd/0yTL"
    "2sRPRhqimA/O6PQrZ0RP9bXjGU4g409x1IGMP8VR32ym03VxQGKZg5JSHLyT1ObNeiCrpQHjEivIHuYPsHvo2j0a4O"
    "I1Pet6CrGe2aOqvSPz+TeA9rBzcaiXywLfxbK9EJDe6Smq3P175SYa2pR2OIvmG401bVC1PUcjAxKxtk6fjoOmBImH"
    "IZ9W9Rmt1c9ub1F7Y5IDb9E+bc3jErsUeIuCt+ig+WMgqE6RqgCC6hRHHbxFW+VJwsPrPnRJsgcAW8NbdHu03lPJ3L"
    "rNHSfGmrRJcsKBt+jQvUUjV2iF0r51kq6oqYeKsWYCzq8YWjrYJFy9Fkp2ssM3iK74XBgjmYhEVI8Kn1Ccs7NuZzv1"
    "dNlIcE2gn/djExiX6OfgXQfedQPWzsG7DtgR0JOBHYFRb3/UwemhVa4EykSDD0nHELfjQwIVuatA29OK3KmJrSBCsh"
    "O/Gh1SkQe5eSIenwscXuQLR4Mpcag7E2GuIRfxJnQnYOOwbDb/b0SzjGWgq/A3IE+inrZDZ3lipPHeIZL2GBmR/pfi"
    "PlB8SEvJly2yoJpqeUIKtHENbZwvTAYjnxVo27PCesUJoVo1imthfd4SzlGF4u8uLp4/f3Vx/vzl6xeXr169eH2+KV"
    "Wcv1VWs/j69icBc2o41LirM1wXE61JmQ7J1vM9/68bmrb5KHN+PLHF/q//fWQl4SOp95GsqPdo8EO/iqQt/kzSUh1+"
    "KF7gugLETuZ782aJLW7CsMBUSm/xkUcpDBn49Y8/CSBrcaU5eQhAPzgNCiaPUxx1MHmcyqjnSOTDEHGhD1hRsvly6i"
    "3ksapxblch6yXzv8uccl7gEKZyKypst5sH+2O0/dWR99fMo8FSEKCiKfmy9Iickhtgol8dTaT4YxnJxvwnyX/ILzTR"
    "s4KuTiy4+zwIiDwg8k6ayGNOMNMBO24PYNcAO/maGphnxDpUlg9xYGgD+BkHZoXXmmb4tFSruTK6TPzYjFtDuNtLNH"
    "KQFtM+aakOZ/KMYudYOU46/T8i6ynpLBopIeB4auyMgYzDNxaEv5epqKT714937ws2ybxoVjm0TR/9Bzk2q8IyH89I"
    "CEzKRyILemalER3kqkdjj2sghqWkmHcq6RlpYNoOzrmItVjoKg+2tyC6nvV5YTAla5iSJXyMBp6ptZtkxGA/0d9PPP"
    "I5sD1i4OXSo08czgfqGVZU4F7jAyjtB3JuVP8UYiA98mSTlTElHEiyz4ioO4LlSSfuhC4WxPWNCFJLTu4QV81B2dET"
    "jIrGqEyFBUHaKwNmmHPszggzBGFsLIlr8ffbLEaag6TXMYyZxphR11lzpRRbhsgRFGIbIa05SDt6glHRGBXBFIReyP"
    "lBKPRUSgt156f0rCWoIz+li2eXry5fP395uXFP2lwp80pSeCDZS8OxF7YK1GIlPS0F+nl9/Rw8wMADrMdzHjzA+jck"
    "veSlfMwe+RAFqspghZtzWmgwTsSNbc5hBFxNB6u0MHwiB/9EwEnyFEcdnCRPcdQz/nz5kd+ROzMpCYVGoNBIy/BCko"
    "g+JIlIfPoNIC19on+KOzvKhaJi0szkYtmr2hcfAmW+CHF5XOarLvUiL6iaIuLOJWiOXetbGviIPiCMRAdn6Ne57RBk"
    "+6IY+iRibibRv/05ka2+YsghWPT6QD2Ry8FDq7mon+7zLhlyKZL1Idd55/dOnvqb+5s7eSB8ok8y8m4gq2zwB8cvwR"
    "D2wywWCyrMV2doYvKlzljYpkeZlLfFCcZxOG7+nIUv/ekjsij/DkoSfYonyg9SvEcuw6fCjz+civwD9Rpws8/480sy"
    "u9kngCN//xz5w2HWdedPS4GfeQ1yMvzIc5gXclib9t3RVy2i3TSDpW3ZAKOGtlEjsQvkV+tdDENaGBiGo2EY5PnJ2K"
    "vyt6oL4IkPPrKE41Tza06Kwkj2YSRr2JnTUmBgrhN+slhgb60DekIEENdHnDzZlvrgXOxElJQBF6L6LkS2uwx8w6eP"
    "xFW5J5ak8cpKDsYC33EaLxr4dYcgJwpjUG8MElSf3ghkBAH/evgnecmqjGFSBqycqhhxqLvYGKDSqKKHZ0IE4Cw3E0"
    "OZPx2LZVWL8MbytB+o91E3A8U08ZnuhlTuOQ1gehX3c5Sb005Mk1tzr2zqV3FQm8KwfpUIeCu2rsdhcRrWdREISZgv"
    "rdUYWcS0BUd9hibxnxPkE8dh/KZHZO4Q6qIHjy6Q8FVHTFRIED9fdhDF6qkt6q09qVZCukbzxWUM2dsoOMhHN1wztv"
    "xRm6RFle3YaTEwZNeg5JZ47VBV8c1iRi4hAoRcfUJOZlgpoEN/5AAXEhFJscwAPAi5Yc36H+4+Xb+7Qb98uHl7+/E2"
    "GoeNkUbeFJe2IcEfbq7eZfNQBFPPNg0mVkmtCNacIEz4+hO+KDS+3M1DGQLfpp9HlBehrR20bT+P+ASog3NSZgh2rT"
    "TGzy8qYPz8ohBjcSuNsUtV7kol+XPpHt5KPcO2+6ROjDpP/Nw/XRuP/DfrzGuV7BDGoO01ZINbLfeSjDR4mBzcwwRi"
    "Sk9x1CGm9BRHHSysYGHtNaARdx2eymqUbi+Sh4lbfHCuBbNSHFAGA3fnBm6wxjZljS1diBtA+FPUzTABLtp6KoGdXk"
    "4B651YK/efXnoZSM+ZEk+D2LNmt7eBIb1UHNt9rFyETkiEAe3YRXE/IowdT2kgwtttFuf6nSCPLLk2H4bIx22/YkjG"
    "U0beBOFEQXJ6qIrZtf48ZXR9Mkux9HcqDbCPfX3AUWBYjgLbqZUfgtIMy2lByOGvkS8euMNTZJHi/UiTSEqLAfcB3u"
    "UdKt/FJRL0NcVEV8cJ7W5tMf2tgpt5R27mh1FVrgOLH6dHCiUlulOqnkxlm8oqiUz6L4/31OXnfkFLjOWfkvbhf3ro"
    "a5fY4nSPZvYTcb+RCkIyHV6U8wubc/Tp/i2y8FpI2S7yqY8dlV7S/kNlmjE+H32ZJWwSRmNO0NcyQJZrQxYK4zRRrL"
    "p8I8RlejHeqjCl2DdcZ+IaLj8lLUSSa9n5SuhXK8yQuPGby08u4l3FC4VNqTuRv2ibFE3cXxLPplb0cvyNJ29ErrSZ"
    "R1csrD4umq+FUkY9Dk7AvyRPCobjK/KtiZNQgRKWUbhAP+qffiQmZx78YgeZuP0gXKfb9ooJvy4deLcSHfov8kWirU"
    "nbNsJyCY+WQYWCXxKenZUcUpq1jkO0E1uR3hhkBCFEfg/89fx3EyIDdG88r7LMnBcvM+e5+j7Yc7UxTgkByrtRJl9M"
    "QixtnDNigPRupIGiPUWKFtw7T3HUwb1zMO6dg8QTyq50afGAsit1KPr6ZVcawLiqZ2c/Vwdw7OyVY+eBjUqfGL9+ww"
    "9s65HCsJS4Oy4zLgWincF/oWeTiiame2l6kSaXBXXJeuuPJpCKDBzEEqVeKJ84dWq8pKxLHTxPM/OOYg0TxG+DmXeS"
    "X3LDXSfn875dgxmqf2aog7m59HN93/NIHRl0qhJoUfMhmvQaZ84gKfahrR2QFPvwYwBJsQ+LvzwT55EvziezERiCda"
    "TrhDJgLQHeHHhz4M37hSfw5u0mQwh0Ud1KwFQFGwTYII4I20IbhDo0H4wQrWSXCJpYDT4EVRaBI0V0u8X0K6uBnMeq"
    "dAbxBC/JYyCaVI8TItgSUSyiKAHxQquI/HjP0K82nw4iqgbN+Liv8FpEsogkA8iyPWL6oeXlDcLuGi09OvPwIgxxwU"
    "gSQsoIoZYft78Jp50aCu1XaXAw8w1GiAvVGYZnzYm+CM3zc1qq1TN0bih6eYROJZDGC70E0lH7QRh1uib8jiXvvEef"
    "ZBb2zpLPv7ysYE97eVloTxO3MvY0ZoSbjdhqFbaEHSla0rIdZmnZXDnaNC1zgj1/yvd2QxYIUeTHKa5yoZKFQhd7lF"
    "q2+FnR9tcG/6QfbEer3LVKFsaigbHwyWLpYL26DUphsLnV2IJp4NQagZwgoK+PPl0S13TwimtooV6iOskXj0GBOIyE"
    "/kis7KUhQ9Xz+Bc6WaRkarlY9Az0yMni4tnlq8vXz19ebnwrNlfKXCoU7isOtheGj2dapb3SUrDF7lHIDjuOYB6NwN"
    "PyYsnKwYJSw5klxpAR0yOKZaUC/FtRGIEaSzr1OIS+8lxTkk0gJdUhy+AFbncEQ/MZYra4GR7BTGVxLp7xSmGY8/vM"
    "+XpedDl5qBF2cAe5lAlHf0iz4jCiBx9RcHQ9xVGHtCCnOOrgjgvuuD2HF1xIwYX0aLDdncbigL55H2ngjIr88+TN8U"
    "4fPUNYVio66t25BPlcqw6zHois1HHmA1HKh/czlpkRVnOKVh71ifCdW83X38vU0i5ZESZ96WSGar4miIwJ1CV5D70W"
    "n6Ppmpf0dW3IYw482/rn2SZ+hdL3u4Q13YqAM1Y9S7BnEl1TQVoKKDt93PXZUqBI98Gba2tz6hmP/Ofq2AUyYoNYYt"
    "q2CUSYacb2JoVA+1UiquulnBGDZQOSEwB7V4W9O2Bygr5tFq3wS11HePYU1KPNM3nl+9icL4rCErd3x2W8h0wxhzeN"
    "K0cpCjdsxFczLEsfy7Jb/F+ishh9QLbPkEkXssPv5b+ma58whD1R0hhNti/3NtQcJ6rIxDYeoUl5JBLwAeMxWMYDAs"
    "+6PMyFn2OIWg70YiUwKzcI8NNa4MWLFxXUQN6qUA+U9zLckv27AudCx+q4+ZBqhTXmVM3m+OLFS51Zu5UY4HxtPlQS"
    "ND3Q9DrV9I6HWdFgqqJzsSaiaSnAFHKltYXlwTKh9207bQbOgBFdoj8hApOzlCUTE68Bkuw+6uY4J+hOjizxee72to"
    "o2mgZQfbvt6Sin6k5c03syJJjrJMEcpEFsOw2i2H4aAPVT1M0wMU3s0f3KhJhl1kel5oe40VjDCmFEZF/VwldzErH/"
    "Inuhi7YdjRFeYs9HjIbukyJ2nSGXPBEPeSLxoT8nC0VlqwY63G1pKDQFJIDQVIqzgt0aCHp5thuXEP+Fro7Xtou9ta"
    "6zo5wyx3vKU4F7HaU72HBFf7/6cH37/urDP9U2gGtFeoTrf97fXKlO2Trrl+rryI/bnUvuKf+fqrtyqqtj/CB278zZ"
    "JaGCCXuv7eHtnJiPYlm89clCtTWkG+zeFsy4vWFzgcoGarbAjoOYT5ZhTlvRl8rKXNiuvqmYT35bvggYiodlKBZxGD"
    "qG4rj9IGw/XRuKbWZY1FXYLnclzIylIFWmRqrMzZqVg/tHh+KC+Z0UyqD9IKSGNct/uPt0/e4G/fLh5u3tx9soZ9TG"
    "WiZvplH+cHP1DgycYOCE9AMnOepg5gLDzKHVv52GmcNwiLHhRqUebm06uxTDyP23mkb4kS64HscxRQzbFsLTsLKJ6A"
    "lN19uy9dTjV5fEY9QN/Yp54yh+mv8VeR6TJ940r0229AxwWgZdNE+DQTjagRTTBf+E+Hesg3pCBLiAGpATy659fk7J"
    "Qga+gx+Lw0NIzcFMC8NoHnw0gdA4xVEHj23wiO0xnOARC8RLu5A26xELXobgZQhehimGUC4PCnowXjbKucHKXiImf9"
    "Ewx0BU8/gKRSqGTDTwSMiSSTbOo6uwtvFkq4JMECMKFrCxXhW837+2uUrdYDHlF/9dRgW2X+Q4+YREhdAmPGAyT8K8"
    "i5krfkBiGYgeCeTmsMjNaG7n4C8MW98KQOC6wrvDt31Vxc0Sz6VYAOjKGnRl8jU1QM+IATc/2LLWtjulX9pakttOLb"
    "n0bOrZ/loH5aRMhzgviGUHi26Abj4bBvjkdeKTZwU1K3ZtBcEQcXBK2nZFdXBxxmT1RjPfAYzqwUeVq3RPNg2Ysffw"
    "lvQE43zwcRaDwxXVOnYlhSgw+Okd7oFEDGdFbXrTvjtl+rytM1rDmvQDth1JovlksfQVmkYxqHlJgDcLr0d8b11vgU"
    "+Kwop+8BX9wcGzWV3HkLQwjGYvRrNGcemMGDBatWqmUCOy3eShL42FzIpCQKRGQKQET3/GZ8Rgxtdhz8FBdDg7B/bM"
    "uf1Udzgz0jCeBx9PcPg9xVGHCOZTHHWly01lf2+VMDBzf6oRruGyrJIFfNP4Jt3TquKalAHX+oIEJtN1nSmrloZJW+"
    "pw33V1+p5O3AbK05dM5AbwHbajuPrTrZJCOXUOaADnoUc5qM5NOjjDdNZBuc8BED+QJeEwuuZ6VBAKkWgx3pkwxYob"
    "26RqgISLiDUjb9BEdDBBKyyiFh6oJwIWRGfMEBNH3vMpmhIkku8pQiLq96MMgohj0DLCuWAI8O3vn28/EEinSCWAIt"
    "awIpZZ+jShVUsDyBCXD4pt786qeootxOc3Hp+fPWYCujvQVW8vfcpAKdeMnzwaLEcK1Spxd1ymVoVf5kw0rKhRyZ5Z"
    "WDxG1KpfOtjlaiiK9RuEXQuxubiF0YIsqLf+Hk3kc9hESogskY79REQoORvz/zXltTVaEX7XodgiVl4D6/C5mukqqT"
    "fDrv07FghB2sqha3+6+Sr3SlTZ0+Wzu2hYJ5jpgB23B7Ah6PuIkAdG6RQZJXBJOsVRV5wWq57jFKLA0JQzNEnIGtB6"
    "7zLdHSfEO7VfxUTrner7s1TxRkW6b3R7vFv5XWxbatRgWHm27xMXWXTlSjugqKC6nlJrncib9ob/YQqFNUqfHtZNcK"
    "mvsDA227WmCpsk6GxmiI4bVGNLMq6BojxYRbmwNm2xKlFcmRY0uCp6hI9nioDuv368e19k6pmpwrgt2/TRf2Rp6EHp"
    "bgKIcsyz8GZmvehAUeUxXi41IhsTUhDUqBHUyGjgqTJBlFBCGwlgJqBuySlrnsAyneKoR/WyagVA5UUh0iEXZC8gqh"
    "P8lJMEbCH0CbyX+seG6XkvJb7rBrAdeAxDbg2sEiaS2JUaQHjowTj5PbxXUSLSR6mYy03eHld0ZGqU0Q3ZVlHSFiPZ"
    "uz5zq+6iFkMb/r5OedrkI4GtBbYW2NoRsLXA1gJbC2xt71YUYGtrDUUveTtga09x1IGtBbb2OLHNa4t6nG1SEpjbCs"
    "xtiFhT/O0mVuw48a1I4iYnGVC5QOUeI8S9pXL/JyAs+u05Hndzb1xG4oY/7XPUtnINZK64W18xFMuJBDxLQpeOSNdD"
    "l8SdjNEEu0yEeVr8b5G0R9Qstji67uQM3c8JCm8jmyH+EMr/ifibeGtB2oqw0ZBRVlVK7vTZe3j1iiqRBDjcQXO44e"
    "ejG6CalgImt078HpDn3UPuecQpjqIqQz4rCVSjPv5813ggHEhLMOOuSxydIVAKwyjoj4JHls7a0DUkpaX2MiftywtO"
    "A9vxbZediecdYrttxcoUAqxv/cjKwSdRr4C6AvTy+ukdH31GQjNoa7K3XT09VFe0TpgbCZjQNeqnRdpjzfpDaWkw7B"
    "3cxAOGvVMc9VoWPTDlFZvy4nWtXh2PAnFAGUIwIASjf6YPzRAMsCdVsidplufILJkNADxwk6h6j+mVze7OlZ8W/7kf"
    "QyvQSGG8yzca7w7FoBshg8UGpnEVe96dSxDH9ol4TJK0CE9p4G/z3ky4tP1EhGHNpIulrJY7QdO1NJbJOS3vuA+2t4"
    "juYLTkvVE3b8Br+2F7WOwSGd7AUDcsQ130QRiPZK3Do2TEOuSrDqHGtUUOBgquvJwdDFQ8eZtwh4vOsRKEUUYyLZNE"
    "UgYMEo0bJCwPP/jGjGKFma54UNJSEHZUH3/g/E6R84MEv6c46sCZAWfWB/phN2d2GMrhHs9GCpJBXB6XVwCdVfYIXl"
    "HPQsLPVmTJpQ4NvLBwjKjlw2QmBhclkxwjE3tq/949elIW/swmpJYVK6DqZz9WnXGJzg51Xw5e96VESx9S3Ze0fn7x"
    "4kUFBZ23KtTQ5b2s96xDFQR+McAbgQ5ZkO+I+P9uWJAqJEgxB5KjQKCUDpTSAZ0LNG0YdSil069FF0rpQCmdtDJ+xR"
    "ebmbsg8ieo1PJEg/EOBd3Am7aVdXUuFta1ESq1SgXPN1Bq1nFhY948p1CnjOziPflIgFF9WAo6nPxO8QwQfcwaH91W"
    "Anb8XEbKTanz6mhuRADO8gNUvEHteXC6j7o5Tkh3HpgSE2q3p6+PFTRhDURngwZ01sOD59uA+XTxY+4Apbi949DJp4"
    "spW0efKwfadm2tBDJSMLTrZM05fCtiIqmL8Pfc2HwYXZDQQ5SpDqz7dlfJcBT+WOEKCNajfiz9ZYfT7WjlRqCYdE8J"
    "gWmjmmmD/3S9ZBQbgUEg3DXfnkBZe2bHUh3alHw+DbqxKDXvVxvYxpPN7Knt2L7WOpIT7NKV2VnhNTtWyJ+wY1shd+"
    "eRGfmis66oZMGip7/CgC31cNmFPge2RxSnxtJqCUkxKJegUS4hem2DrxyBYjstcdTPCoKvPvjqA48MHgQw6uBB0B8C"
    "HDwIBuhBkGBqw4iKcjZ3E3WxK39AjtitzOaG5RZXc8pijnWOnwjCIS+rImwrSCg52XQoChCxPVmCxuAlAPs8xOS16S"
    "kQiusBmpQBQCHIsfvEYA/xvNwT1Yx1eqDYJr/Xnp44/y4Jr/IT599jUkzHiUAyaRourOzxK4akUFjnW/byPf9D7tDu"
    "DHl0hRYEu0ya/qMxVXu77tFXqWMsHFL7tPiXHVK1CWAgfoH4BdUAiF8Y9YqjDvoLuI73DU5wHe/SdRx0QR1o+6oL/k"
    "qmc0ofRwoVML413m1rWIVNq+p70o1bxA0i7KPV3DbnCLtUKFyIrZlPFsgnjsPiLMLSv9uf82H4XipsjPDDoi/qfRLX"
    "9NZLPlkUimBLD9kjITFUDh2swnlAH7ueroidOdkRVwCh62OXkOrQxS7+II7Wwy5cFXWm+FYCPEhr5PHiRynsBx4x5g"
    "RbqpoRJTm9FLJDGIMu0nsBk3WCnAYwWac46lBYDkqe9Q5Q8GzYBSqUPOtpybOD8li/4LVDsdKHNtNiXJnVMpahiE75"
    "Lew4Uf4CFPWCPGIS+0lFVVWS2IN3in9H+K+4V6ChhkdDLbeTu6rnQ0IEfB/q+z6EKrZWyaaECCBfH3lGA88khr3UYq"
    "WSQkMgRbompsR6KY4C6sQVxcBn5QD7OmHl2x08v9PuIioy0sBUHA1TAZp1w1RF+mBcFdK0FIAKdEX3dMVq65uxJ64J"
    "L4+BIpv+XvvkfPPx0XackYKrCG+MyyiKBfYeib90MD/GMtG8uvMNP395axEaIfxcktHRXzFkctXSobOAKD1qqktWq9"
    "0VnsIDz4Goip6s5OMSdgEqeEHWrhNAni9kZEY9rcrySRnAvIZKa6v8s4vxjtsD1jV8iuSuq8+WAd774C1POTnMS7y3"
    "UlKD2EIzjlvn5+dVPLd4s2LXLXkzDfeC+FgcYXSo+KTMXlz8vlTYNLAd33bZmXjsIY6HEBgKdCW408GoQ0bA/ujkJe"
    "wqZAQcYEZAyf79wrsaFVGD8ua4jB6UlKCx5O0qJ2HxCJ97ts+12NARKWQVEfYIv4Ut9ODRhSrhSmU54ASBEwROEDjB"
    "I0QedPhOdfipx88pcx2otxId1mZZcFjaWq47iHIDpgSYEtCZe6AzA1NyiqMOTAkwJcCU7MWU3DwR+eo5liS8MS5jSI"
    "hoUr3CLb+PbFc6Pi0x85FPXNHSDRZT4hELrWw+TQIRvjWnDm9DvEzhWtdC5pxDzdtO12iO2VxZ+raN5/zm/ubeWiEl"
    "s3T4vTA7Ltt09hBOf/RI1myMGA2JHPEODp0h3sKxn0RzcdX248RJU37jDE3EcXAiEiXx9r+5Jnapa5vYQeJ8g0S9yL"
    "C3FWbybYh1hq7EezPpNiYGTgg7lD7yVw6W/LfyofEQ86n4vXP+q6uxR9H8ZORzjjkqDI2Tjcf1g+DEep7oOpFAreGe"
    "k4GXDXetwBAyVQ2WsINTR6shBeLbzEF6bc9u3cL8SJ8VQNqVgsj7BiF/X/6fb7+7uHj+/NXF+fOXr19cvnr14vX5a9"
    "5WvnH+1qsS3K9vfxIpqFLH8HxOqkf+a3Woorj9APm476oU8P2uuIDvd7kCvvw4Qj1DF+K01ACBbr5ScgiZZhqahAyk"
    "oVHhqWueSkuBpaSGpSTwuA6jVcw+IQJLRYWl4oBxoMczuY8h9fog0YR8ag1rFMH0/4ipi2haCjDNWj4Z43NO52SQEI"
    "FjQQ3XFaWducRnRW1jbtOa/8efhzBNtZMghP9spl4yio9haakhTPKcs0o1X5UyV5XsWWzpkSdD0No6SKeEBnjkfXlZ"
    "AeiXl4U4i1uZ9FqaCAO4GuCC08mpuB/k7OOHMdv+jSz9K5etpBUvZ7tN3B2XGXAfeTsDy4YVzbj3c4JCAeRTkWjTs3"
    "0SWidNYYYU5lDeAE1uLbJYUp+45vrbv5H1ZIzEw4SZlEtZeJ233DbbtdLWmWT7Hsm63MgJFrzBWvAOyBT3bWdsRhsU"
    "H5PG2SJqPsCjRStexrFaoXuEy8oNEO/mj3LMx36gyEJbbH7eCNSyQPdN4QsN0BfPLl9dvn7+8nJjd95cKTM3503LeH"
    "MMqWxA2kgMQYHuPPUOaCKgiXSpifxAhGejtx4p9JDNvVItxApb2aSyK2nEJCM+Q2yfoRVev0GTFbZ9PqhcHZgw4lri"
    "TxTwaSa0Aodg0ZO44fMGXFOYPGDbIdZEqg0zSlX1L9t7jmYpArHFyM8t9gexuPCeekmZd2T8uIZUoBYdMUG76p921a"
    "kDX8+2e/DfG5xCAL4i4CvSXzSLipoW61d7ljLt2+fftYIlwnF04I7bA9iN+TwUx9ZDXH2MT/lQ1CkSFCsFlX1SY4EO"
    "HVAi3awtzFv3YPd9slj6OuxjUqS7CJjzdo/PjbGPkZ6cP2rsYsK2gsCC9ZoFS462ZF8sY6pli0oJDYFxblsfigALXN"
    "9WpHLa+WVlxRv4vno2AMf33WDmG8TzqJYekZYawpfTeaCP4EFrbU8JSfh+Dv79gM3tFEcdonSaZbJ6k1ZhMOjmLMR9"
    "yeXUT4SbS+WUWyYagPgq7meY2CZXxj7lx7oinm3ORwrnhujOuMy1AW/b7HJrKEZ0t7OAlhW8kEpSLpwKEikavv2s37"
    "13YSu2bz8RjymXzWKSISEyCDtAB06v4qPSQDhqPkB0n1UKuntWEnT3LB90FxWR17GtJES6N68c5nzVmCHloL56f/4/"
    "2ZD2vg=="
)
