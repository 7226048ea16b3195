COPY public.sender_relayhost (id, account, relayhost) FROM stdin;
1	@a.example	[active.old.example]:587
\.
