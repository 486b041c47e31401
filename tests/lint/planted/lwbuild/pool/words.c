// TODO: look in /home/someone/there 
int planted;
