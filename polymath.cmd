@echo off
rem Builds what changed, then runs the command line. Needs the .NET 10 SDK.
setlocal
set "ROOT=%~dp0"
where dotnet >nul 2>nul || (echo polymath: the .NET 10 SDK is needed; see https://dot.net/download 1>&2 & exit /b 1)
if /i "%~1"=="test" (dotnet test --solution "%ROOT%Polymath.slnx" -c Release & exit /b)
dotnet build "%ROOT%src\Polymath.Cli\Polymath.Cli.csproj" -c Release -v quiet -nologo >"%TEMP%\polymath-build.log" 2>&1
if errorlevel 1 (type "%TEMP%\polymath-build.log" 1>&2 & echo polymath: the build failed 1>&2 & exit /b 1)
dotnet "%ROOT%artifacts\bin\Polymath.Cli\release\Polymath.Cli.dll" %*
exit /b %errorlevel%
