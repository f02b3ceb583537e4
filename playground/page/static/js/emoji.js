/** Emoji short codes that platform bots use, as Unicode. An unknown code stays as it was typed. */

const TABLE = `
+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎|eyes 👀|tada 🎉|rocket 🚀|fire 🔥|bug 🐛|boom 💥|wave 👋|clap 👏|pray 🙏|muscle 💪
white_check_mark ✅|heavy_check_mark ✔️|ballot_box_with_check ☑️|x ❌|negative_squared_cross_mark ❎|no_entry ⛔|no_entry_sign 🚫
warning ⚠️|rotating_light 🚨|construction 🚧|octagonal_sign 🛑|stop_sign 🛑|exclamation ❗|question ❓|grey_question ❔|bangbang ‼️
information_source ℹ️|bulb 💡|mag 🔍|mag_right 🔎|lock 🔒|unlock 🔓|closed_lock_with_key 🔐|key 🔑|shield 🛡️|bell 🔔|no_bell 🔕
hourglass ⌛|hourglass_flowing_sand ⏳|stopwatch ⏱️|alarm_clock ⏰|clock1 🕐|calendar 📅|date 📅|zzz 💤|sleeping 😴
large_green_circle 🟢|large_yellow_circle 🟡|large_orange_circle 🟠|red_circle 🔴|large_red_circle 🔴|large_blue_circle 🔵|white_circle ⚪|black_circle ⚫
large_green_square 🟩|large_yellow_square 🟨|large_red_square 🟥|white_large_square ⬜|black_large_square ⬛|small_blue_diamond 🔹|large_blue_diamond 🔷
arrow_right ➡️|arrow_left ⬅️|arrow_up ⬆️|arrow_down ⬇️|arrow_forward ▶️|arrows_counterclockwise 🔄|leftwards_arrow_with_hook ↩️|rewind ⏪|fast_forward ⏩|double_vertical_bar ⏸️
package 📦|books 📚|book 📖|memo 📝|pencil 📝|pencil2 ✏️|clipboard 📋|page_facing_up 📄|file_folder 📁|link 🔗|paperclip 📎|pushpin 📌|bookmark 🔖|label 🏷️
gear ⚙️|wrench 🔧|hammer 🔨|hammer_and_wrench 🛠️|toolbox 🧰|computer 💻|floppy_disk 💾|satellite 🛰️|electric_plug 🔌|battery 🔋|robot_face 🤖|test_tube 🧪|microscope 🔬
chart_with_upwards_trend 📈|chart_with_downwards_trend 📉|bar_chart 📊|moneybag 💰|dollar 💵|globe_with_meridians 🌐|cloud ☁️|sunny ☀️|umbrella ☔|snowflake ❄️|ocean 🌊|seedling 🌱|herb 🌿
smile 😄|slightly_smiling_face 🙂|grin 😁|joy 😂|wink 😉|thinking_face 🤔|cry 😢|sob 😭|sweat_smile 😅|sunglasses 😎|heart ❤️|green_heart 💚|broken_heart 💔|star ⭐|sparkles ✨|100 💯|trophy 🏆|medal 🏅|crown 👑
house 🏠|building_construction 🏗️|bridge_at_night 🌉|motorway 🛣️|traffic_light 🚥|vertical_traffic_light 🚦|checkered_flag 🏁|triangular_flag_on_post 🚩|truck 🚚|ship 🚢|anchor ⚓|elephant 🐘|snake 🐍|whale 🐳|hatching_chick 🐣
bust_in_silhouette 👤|busts_in_silhouette 👥|raising_hand 🙋|raised_hands 🙌|handshake 🤝|point_right 👉|point_down 👇|ok_hand 👌|writing_hand ✍️|speech_balloon 💬|thought_balloon 💭|loudspeaker 📢|mega 📣
inbox_tray 📥|outbox_tray 📤|wastebasket 🗑️|recycle ♻️|broom 🧹|new 🆕|ok 🆗|sos 🆘|heavy_plus_sign ➕|heavy_minus_sign ➖|one 1️⃣|two 2️⃣|three 3️⃣|ladybug 🐞|ghost 👻|party_popper 🎉|dart 🎯|bricks 🧱
`;

export const EMOJI = new Map(
  TABLE.trim().split(/[\n|]/).map((entry) => entry.split(" ")).filter((pair) => pair.length === 2),
);

/** Return the character of a short code, or `:code:` as it stood. */
export function emoji(name) {
  return EMOJI.get(name.replace(/::skin-tone-\d$/, "")) ?? `:${name}:`;
}

/** Replace the short codes of plain text. */
export function withEmoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (_, name) => emoji(name));
}
