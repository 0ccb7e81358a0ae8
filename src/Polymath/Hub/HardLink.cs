using System.Runtime.InteropServices;

namespace Polymath.Hub;

/// <summary>A second name for a file, so that a content is stored once and yet has the names that model readers expect.</summary>
internal static partial class HardLink
{
    /// <summary>Makes <paramref name="name"/> a name of <paramref name="existing"/>.</summary>
    /// <exception cref="HubException">The file system has no such thing, or the file is not there.</exception>
    public static void Create(string existing, string name)
    {
        bool made = OperatingSystem.IsWindows() ? CreateOnWindows(name, existing, 0) : CreateOnUnix(existing, name) == 0;
        if (!made)
        {
            string why = Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
            throw new HubException($"{name}: no link to the file's content can be made here ({why}); name a folder of another disk in POLYMATH_MODELS");
        }
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateOnUnix(string existing, string name);

    [LibraryImport("kernel32", EntryPoint = "CreateHardLinkW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CreateOnWindows(string name, string existing, nint security);
}
