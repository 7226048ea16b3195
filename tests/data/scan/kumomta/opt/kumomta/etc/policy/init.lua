-- mx_list = { 'commented.old.example' }
local c = { protocol = { smtp = { mx_list = { 'active.old.example', { name = 'active2.old.example' } } } } }
print('lead.old.example')
